import { describe, expect, it } from "vitest";
import { toCniError } from "../../src/plugin/fault.ts";

const path = "/data/.kube-node/net1/attachments/.tmp-1";

function errorOf(code: string, keys: Partial<NodeJS.ErrnoException> = {}): NodeJS.ErrnoException {
  const syscall = keys.syscall ?? "open";
  return Object.assign(new Error(`${code}: words, ${syscall} '${path}'`), { code, syscall, path, ...keys });
}

describe("an error of the file system", () => {
  it.each([
    ["EACCES", /run as root/],
    ["EPERM", /run as root/],
    ["EROFS", /mount it for writing/],
    ["ENOSPC", /free some space/],
    ["EDQUOT", /quota/],
    ["EIO", /dmesg/],
    ["ENOTDIR", /is a file/],
    ["ENAMETOOLONG", /255 bytes/],
    ["EMFILE", /LimitNOFILE/],
    ["ENFILE", /fs\.file-max/],
  ])("%s: keeps its words, and says where and what to do", (code, advice) => {
    const error = toCniError(errorOf(code));
    expect(error).toMatchObject({ code: 5, message: expect.stringContaining(`${code}: words`) });
    expect(error.details).toMatch(/^dataDir \/data: /);
    expect(error.details).toMatch(advice);
  });

  it("names no dataDir for a file elsewhere", () => {
    expect(toCniError(errorOf("EACCES", { path: "/etc/x" })).details).toMatch(/^the plugin may not/);
    expect(toCniError(errorOf("EIO", { syscall: "read", path: undefined as never })).details).toMatch(
      /^the disk/,
    );
  });

  it("knows a file system without hard links by the call", () => {
    expect(toCniError(errorOf("EPERM", { syscall: "link" })).details).toMatch(/hard links/);
  });

  it("leaves alone what it doesn't know", () => {
    expect(toCniError(errorOf("ESTRANGE")).details).toBe("");
  });
});
