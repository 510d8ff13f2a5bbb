import { isObject, type JsonObject } from "../text/json.ts";

/** A warning of the plugin's log as a person reads it; its fields follow, where it has any. */
export function describeWarning(message: string, fields: JsonObject): string {
  return `warning: ${message}${Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : ""}`;
}

/** What each line of the plugin's log says of the call that wrote it: for tools, not for the one who made the call. */
const ofEachLine = ["level", "time", "pid", "hostname", "plugin", "network", "msg"];

/** What a plugin wrote to stderr: lines of our log as the warnings that they are, others as they stand. */
export function describeStderr(stderr: string): string[] {
  return stderr
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const event = parseEvent(line);
      if (!event) return line;
      const fields = Object.entries(event).filter(([name]) => !ofEachLine.includes(name));
      return describeWarning(String(event["msg"]), Object.fromEntries(fields) as JsonObject);
    });
}

function parseEvent(line: string): JsonObject | undefined {
  try {
    const event: unknown = JSON.parse(line);
    return isObject(event) && typeof event["level"] === "number" && typeof event["msg"] === "string"
      ? event
      : undefined;
  } catch {
    return undefined; // Another plugin's words.
  }
}
