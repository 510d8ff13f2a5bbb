import { setTimeout as sleep } from "node:timers/promises";
import { type Controller, startController } from "./controller.ts";
import { type Faults, startFaultyProxy } from "./faulty-proxy.ts";
import type { PoolCluster } from "./pool-cluster.ts";

/** Controllers that are stopped, killed and started again until `end`. */
export type TossedControllers = {
  end(): Promise<void>;
  /** What happened to them, for people. */
  story(): string;
};

/** `stops`: stopped for some time and woken, too. `args`: more flags. */
type Toss = { random: () => number; faults: Faults; elects: boolean; stops?: boolean; args?: string[] };

/** Two of them, each behind a proxy of its own. */
export function tossControllers(
  cluster: PoolCluster,
  { random, faults, elects, stops: isStopped = true, args: more = [] }: Toss,
): TossedControllers {
  const current: (Controller | undefined)[] = [];
  const stories: (() => string)[] = [];
  let restarts = 0;
  let stops = 0;
  let isOver = false;

  async function keepRunning(index: number): Promise<void> {
    const proxy = await startFaultyProxy(cluster.api, random, () => current[index]?.kill("SIGKILL"));
    proxy.set(faults);
    stories.push(() => JSON.stringify(proxy.counts));
    const { kubeconfig } = proxy;
    const args = [
      `--leader-elect=${elects}`,
      "--lease-duration=3s",
      "--leader-elect-namespace=default",
      `--identity=controller-${index}`,
      "--log-level=info",
      ...more,
    ];
    while (!isOver) {
      const controller = startController({ kubeconfig, args });
      current[index] = controller;
      await controller.exited;
      restarts++;
      await sleep(random() * 500);
    }
    await proxy.close();
  }

  async function stopAndGo(): Promise<void> {
    while (!isOver) {
      await sleep(random() * 1500);
      const one = current[random() < 0.5 ? 0 : 1];
      one?.kill("SIGSTOP");
      stops++;
      await sleep(random() * (random() < 0.3 ? 6000 : 800));
      one?.kill("SIGCONT");
    }
  }

  const running = [keepRunning(0), keepRunning(1), ...(isStopped ? [stopAndGo()] : [])];
  return {
    end: async () => {
      isOver = true;
      for (const one of current) one?.kill("SIGKILL");
      await Promise.all(running);
    },
    story: () => `${restarts} restarts, ${stops} stops, ${stories.map((tell) => tell()).join(" ")}`,
  };
}
