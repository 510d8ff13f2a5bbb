import { pemAt, readNamedFile } from "./pem.ts";
import { complain, type Section, sectionAt, textAt } from "./section.ts";

/** What a client shows: PEM texts of certificate and key, a bearer token, or nothing at all. */
export type Credentials = { cert?: string; key?: string; token?: string };

/** A user's credentials, or the section that says how to get them by an exec plugin. */
export function readUser(user: Section): Credentials | { exec: Section } {
  refuseRetired(user);
  const credentials = { ...readCertificate(user), ...readToken(user) };
  const exec = sectionAt(user, "exec");
  return exec && Object.keys(credentials).length === 0 ? { exec } : credentials;
}

function readCertificate(user: Section): Credentials {
  const key = pemAt(user, "client-key", "key");
  const cert = pemAt(user, "client-certificate", "certificate");
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined) throw complain(user, "client-certificate", " is missing, but client-key is there");
  if (key === undefined) throw complain(user, "client-key", " is missing, but client-certificate is there");
  return { cert, key };
}

/** As in client-go, a tokenFile wins over a token, which stands in where the file can't be read. */
function readToken(user: Section): Credentials {
  const inline = textAt(user, "token")?.trim();
  const path = textAt(user, "tokenFile");
  if (path === undefined) return inline ? { token: checkToken(user, "token", inline) } : {};
  let token: string;
  try {
    token = readNamedFile(user, "tokenFile", path).trim();
  } catch (error) {
    if (!inline) throw error;
    token = inline;
  }
  if (token === "" && !inline) throw complain(user, "tokenFile", ": the file is empty");
  return { token: checkToken(user, "tokenFile", token || (inline as string)) };
}

function checkToken(section: Section, key: string, token: string): string {
  if (isToken(token)) return token;
  throw complain(
    section,
    key,
    ": a token is one word of ASCII characters",
    "there are blanks, line ends or others in it",
  );
}

/** What can't stand in a header would end up in an error of the HTTP client. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function refuseRetired(user: Section): void {
  const instead = "use a client certificate, a token or an exec plugin";
  for (const key of ["username", "password"]) {
    if (textAt(user, key) !== undefined) {
      throw complain(user, key, ": API servers know no passwords since Kubernetes 1.19", instead);
    }
  }
  if (sectionAt(user, "auth-provider")) {
    throw complain(
      user,
      "auth-provider",
      " is no longer supported, nor is it by kubectl since 1.26",
      "use an exec plugin",
    );
  }
  for (const key of ["as", "as-uid", "as-groups", "as-user-extra"]) {
    if (Object.hasOwn(user.values, key) && user.values[key]) {
      throw complain(user, key, ": impersonation isn't supported here", "give the plugin a user of its own");
    }
  }
}
