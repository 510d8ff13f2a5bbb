import { setTimeout } from "node:timers/promises";
import * as chapters from "./chapters.ts";
import { startCluster } from "./cluster.ts";
import { openFolders } from "./folders.ts";
import { isInside, openNamespaces, runInside } from "./namespaces.ts";
import * as print from "./print.ts";
import type { Scene } from "./scene.ts";
import { type Stage, stopSignals } from "./stage.ts";
import { lookAround } from "./surroundings.ts";

process.env["PATH"] += ":/usr/sbin:/sbin";
const { programs, lacks } = lookAround();
const { kubeNode, hostLocal } = programs;
if (hostLocal === undefined) {
  print.title(
    "The demo needs host-local, which keeps the addresses: install the package containernetworking-plugins.",
  );
  process.exitCode = 1;
} else if (lacks.length > 0) {
  process.exitCode = await tell(openFolders({ kubeNode, hostLocal }, lacks));
} else if (!isInside()) {
  process.exitCode = await runInside(import.meta.filename);
} else {
  process.exitCode = await tell(openNamespaces(programs));
}

/** The whole demo, printed as it goes on. Resolves with the exit code. */
async function tell(stage: Stage): Promise<number> {
  const stopper = stopOnSignals();
  const cluster = await startCluster({ ...stage.api, machineIDs: stage.hasMachineIDs });
  const scene: Scene = { stage, cluster, attachments: [], stopping: stopper.signal };
  try {
    chapters.introduce(scene);
    await chapters.showCluster(scene);
    await chapters.addPods(scene);
    await chapters.gateByNamespace(scene);
    await chapters.addSecondaryNetwork(scene);
    await chapters.reachEachOther(scene);
    chapters.showHolders(scene);
    await chapters.checkAndDelete(scene);
    return 0;
  } catch (error) {
    await setTimeout(50); // A command that a signal ended fails before we are told of the signal.
    print.title(`\n${stopper.signal.aborted ? "Stopped." : (error as Error).message}`);
    return stopper.signal.aborted ? 130 : 1;
  } finally {
    await cluster.close();
  }
}

function stopOnSignals(): AbortController {
  const stopper = new AbortController();
  for (const signal of stopSignals) process.on(signal, () => stopper.abort());
  process.stdout.on("error", () => stopper.abort()); // Nobody reads any more.
  return stopper;
}
