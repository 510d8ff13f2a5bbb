import type { Environment } from "../cni/environment.ts";
import { begin, type Ended, finish, type Program } from "../host/exec.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/** A call of a CNI plugin as a runtime makes it; `seconds` are what it may take. */
export type PluginCall = {
  program: Pick<Program, "path" | "args" | "argv0" | "keepStderr">;
  env: Environment;
  config: JsonObject;
  seconds: number;
  /** Is told of its process before that is told anything. */
  started?: (pid: number) => void;
};

/** What became of it: `error` in words where it failed. */
export type PluginOutcome = {
  milliseconds: number;
  result?: JsonObject;
  error?: string;
  signal?: string;
  /** Where it was kept. */
  stderr?: string;
};

/** Calls the plugin, and takes the time. Never throws: what can't be started has failed. */
export async function callPlugin(call: PluginCall): Promise<PluginOutcome> {
  const started = performance.now();
  const took = () => Math.round(performance.now() - started);
  try {
    const ended = await execute(call);
    const stderr = ended.stderr === undefined ? {} : { stderr: ended.stderr };
    return { milliseconds: took(), ...stderr, ...judge(ended, call.seconds) };
  } catch (error) {
    return {
      milliseconds: took(),
      error: `${call.program.path} can't be started: ${(error as Error).message}`,
    };
  }
}

async function execute({ program, env, config, seconds, started }: PluginCall): Promise<Ended> {
  const deadline = Date.now() + seconds * 1000;
  const child = await begin({ ...program, env });
  started?.(child.pid);
  return await finish(child, JSON.stringify(config), { deadline, end: deadline + 3000 });
}

function judge(
  { stdout, exitCode, signal, timedOut }: Ended,
  seconds: number,
): Omit<PluginOutcome, "milliseconds" | "stderr"> {
  const answer = parse(stdout);
  if (exitCode === 0) return answer ? { result: answer } : {};
  const how = timedOut
    ? `it was ended after ${seconds} s`
    : `it ended with ${signal ?? `exit code ${exitCode}`}`;
  return { error: errorOf(answer) ?? how, ...(signal !== null && { signal }) };
}

/** The words of a CNI error document; undefined where it is none. */
function errorOf(answer: JsonObject | undefined): string | undefined {
  if (typeof answer?.["msg"] !== "string") return undefined;
  return typeof answer["details"] === "string" ? `${answer["msg"]}: ${answer["details"]}` : answer["msg"];
}

function parse(stdout: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(stdout);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // Whoever called says what was expected.
  }
}
