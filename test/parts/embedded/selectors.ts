import { answerFailure, Refusal } from "./answer.ts";

type Labels = Record<string, string>;
type Requirement = (labels: Labels) => boolean;

const qualified = "[A-Za-z0-9][-A-Za-z0-9_./]*";
const setBased = new RegExp(`^(${qualified})\\s+(in|notin)\\s+\\(([^)]*)\\)$`);
const equality = new RegExp(`^(${qualified})\\s*(=|==|!=)\\s*([-A-Za-z0-9_.]*)$`);
const existence = new RegExp(`^(!?)\\s*(${qualified})$`);

/** A label selector (`a=b,c!=d,e in (f,g),!h`) as a test of labels; refuses with 400 what Kubernetes can't read either. */
export function parseLabelSelector(text: string): Requirement {
  const requirements = text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(parseRequirement);
  return (labels) => requirements.every((holds) => holds(labels));
}

/** A field selector; of a Node's fields only `metadata.name` is known here. */
export function parseFieldSelector(text: string): (name: string) => boolean {
  const tests = text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [, field, operator, value] =
        /^([^=!]+)(=|==|!=)([^=]*)$/.exec(part) ?? badRequest(`invalid selector: '${part}'`);
      if (field !== "metadata.name") return badRequest(`field label not supported: ${field}`);
      return (name: string) => (name === value) === (operator !== "!=");
    });
  return (name) => tests.every((holds) => holds(name));
}

/** The one name that a field selector leaves, where it leaves one: authorizers look at it. */
export function readSelectedName(text: string): string | undefined {
  return /^metadata\.name==?([^,=]+)$/.exec(text)?.[1];
}

function parseRequirement(text: string): Requirement {
  const set = setBased.exec(text);
  if (set) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    return (labels) =>
      (operator === "in") === (Object.hasOwn(labels, key) && values.includes(labels[key] ?? ""));
  }
  const equal = equality.exec(text);
  if (equal) {
    const [, key = "", operator, value = ""] = equal;
    return (labels) => (labels[key] === value) === (operator !== "!=");
  }
  const [, not, key = ""] = existence.exec(text) ?? badRequest(`unable to parse requirement: ${text}`);
  return (labels) => Object.hasOwn(labels, key) === (not === "");
}

function badRequest(message: string): never {
  throw new Refusal(answerFailure(400, "BadRequest", message));
}
