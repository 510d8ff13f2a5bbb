import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  folderState,
  isErrno,
  linkUnlessTaken,
  makePrivateFolder,
  readOwn,
  readText,
  readToEnd,
  removeIfThere,
  replaceFile,
  writeTemporary,
} from "../../src/host/files.ts";
import { root, whatLacks } from "../parts/tools.ts";
import { testFolder } from "./folder.ts";
import { callElsewhere, runtimes } from "./other-process.ts";

const asRoot = whatLacks(root());

describe("readText", () => {
  it("reads a file, through links", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "a"), "grüße");
    symlinkSync("a", join(folder, "b"));
    expect(readText(join(folder, "b"))).toBe("grüße");
  });

  it("is undefined where there is none", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "file"), "");
    for (const name of ["absent", "file/below", "x".repeat(300)])
      expect(readText(join(folder, name))).toBeUndefined();
  });

  it.each(runtimes)("refuses a pipe, where nobody may ever write (%s)", async (runtime) => {
    const path = join(testFolder(), "pipe");
    execFileSync("mkfifo", [path]);
    const { error } = await callElsewhere(runtime, ["host/files.ts", "readText"], [path], { timeout: 5000 });
    expect(error).toMatchObject({ code: "EINVAL", message: expect.stringContaining(path) });
  });

  it("reads as much as is allowed, and no more", () => {
    const path = join(testFolder(), "a");
    writeFileSync(path, "x".repeat(100_000));
    expect(readText(path, 100_000)).toHaveLength(100_000);
    expect(() => readText(path, 99_999)).toThrow(RangeError);
  });

  it("doesn't break characters that lie across the buffer's end", () => {
    const path = join(testFolder(), "a");
    const text = `x${"ü€😀".repeat(20_000)}`;
    writeFileSync(path, text);
    expect(readText(path)).toBe(text);
  });
});

describe("readOwn", () => {
  it("reads a file of this user's, with its time and number", () => {
    const path = join(testFolder(), "a");
    writeFileSync(path, "text");
    const { mtimeMs, ino } = statSync(path);
    expect(readOwn(path)).toEqual({ text: "text", mtimeMs, ino });
  });

  it("follows no link", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "a"), "text");
    symlinkSync("a", join(folder, "b"));
    symlinkSync("nowhere", join(folder, "c"));
    expect([readOwn(join(folder, "b")), readOwn(join(folder, "c"))]).toEqual([undefined, undefined]);
  });

  it("takes nothing from a folder, and from none that is absent", () => {
    const folder = testFolder();
    expect([readOwn(folder), readOwn(join(folder, "a")), readOwn(join(folder, "a/b"))]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each(runtimes)("waits for no pipe (%s)", async (runtime) => {
    const path = join(testFolder(), "pipe");
    execFileSync("mkfifo", [path]);
    const outcome = await callElsewhere(runtime, ["host/files.ts", "readOwn"], [path], { timeout: 5000 });
    expect(outcome.error).toBeUndefined();
    expect(outcome.value).toBeUndefined();
  });

  it.skipIf(asRoot.some)(`takes nothing of somebody else's${asRoot.words}`, () => {
    const path = join(testFolder(), "a");
    writeFileSync(path, "text", { mode: 0o666 });
    chownSync(path, 12345, 12345);
    expect(readOwn(path)).toBeUndefined();
  });
});

describe("readToEnd", () => {
  const inPieces = ["sh", "-c", '(for i in 1 2 3; do echo $i; sleep 0.05; done) | "$@"', "sh"];

  it.each(runtimes)("reads what a pipe gives in pieces (%s)", async (runtime) => {
    const how = { before: inPieces };
    const input = await callElsewhere(runtime, ["host/files.ts", "readToEnd"], [0, 100], how);
    expect(input.value).toBe("1\n2\n3\n");
    const named = await callElsewhere(runtime, ["host/files.ts", "readText"], ["/dev/fd/0"], how);
    expect(named.value).toBe("1\n2\n3\n");
  });

  it("refuses what is too long, without reading on", () => {
    const fd = openSync("/dev/zero", "r");
    expect(() => readToEnd(fd, 1 << 20)).toThrow("more than 1048576 bytes");
    closeSync(fd);
  });
});

describe("replaceFile", () => {
  it("makes a file that only this user can read", () => {
    const folder = testFolder();
    replaceFile(folder, "a", "one");
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("one");
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o600);
  });

  it("puts the new file in the old one's place, whole", () => {
    const folder = testFolder();
    replaceFile(folder, "a", "one");
    const reader = openSync(join(folder, "a"), "r");
    replaceFile(folder, "a", "two");
    expect(readToEnd(reader, 100)).toBe("one");
    closeSync(reader);
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("two");
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("replaces a link, and not what it leads to", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "target"), "kept");
    symlinkSync("target", join(folder, "a"));
    replaceFile(folder, "a", "new");
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("kept");
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("new");
  });

  it("leaves nothing behind where the name can't be taken", () => {
    const folder = testFolder();
    mkdirSync(join(folder, "a/full"), { recursive: true });
    expect(() => replaceFile(folder, "a", "text")).toThrow();
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("says that there is no folder", () => {
    const folder = join(testFolder(), "absent");
    expect(() => replaceFile(folder, "a", "text")).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it("of many at once, each is whole", async () => {
    const folder = testFolder();
    const texts = Array.from({ length: 6 }, (_, i) => String(i).repeat(90_000));
    await Promise.all(
      texts.map((text) => callElsewhere("bun", ["host/files.ts", "replaceFile"], [folder, "a", text])),
    );
    const text = readFileSync(join(folder, "a"), "utf8");
    expect(text).toBe((text[0] as string).repeat(90_000));
    expect(readdirSync(folder)).toEqual(["a"]);
  });
});

describe("writeTemporary", () => {
  it("never uses a name that is there", () => {
    const folder = testFolder();
    const paths = Array.from({ length: 50 }, (_, i) => writeTemporary(folder, String(i)));
    expect(new Set(paths).size).toBe(50);
    expect(paths.map((path) => readFileSync(path, "utf8"))).toEqual(paths.map((_, i) => String(i)));
  });

  it("begins its names with a dot, which no record's does", () => {
    const folder = testFolder();
    writeTemporary(folder, "");
    expect(readdirSync(folder)[0]).toMatch(/^\.tmp-/);
  });
});

describe("linkUnlessTaken", () => {
  it("gives a name once", () => {
    const folder = testFolder();
    const [a, b, name] = ["a", "b", "name"].map((one) => join(folder, one)) as [string, string, string];
    writeFileSync(a, "a");
    writeFileSync(b, "b");
    expect([linkUnlessTaken(a, name), linkUnlessTaken(b, name)]).toEqual([true, false]);
    expect(readFileSync(name, "utf8")).toBe("a");
  });

  it("takes a dangling link for a name that is taken", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "a"), "a");
    symlinkSync("nowhere", join(folder, "name"));
    expect(linkUnlessTaken(join(folder, "a"), join(folder, "name"))).toBe(false);
  });
});

describe("removeIfThere", () => {
  it("says whether something was removed", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "a"), "");
    expect(["a", "a", "a/b", "x".repeat(300)].map((name) => removeIfThere(join(folder, name)))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("folders", () => {
  it("are made with all above them", () => {
    const folder = join(testFolder(), "a/b/c");
    makePrivateFolder(folder);
    makePrivateFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it("are one's own, or absent; anything else is foreign", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "file"), "");
    mkdirSync(join(folder, "own"));
    chmodSync(join(folder, "own"), 0o755);
    mkdirSync(join(folder, "open"));
    chmodSync(join(folder, "open"), 0o777);
    symlinkSync("own", join(folder, "link"));
    symlinkSync("nowhere", join(folder, "dangling"));
    const states = ["own", "none", "file", "link", "dangling", "open"].map((name) =>
      folderState(join(folder, name)),
    );
    expect(states).toEqual(["own", "absent", "foreign", "foreign", "foreign", "foreign"]);
  });

  it.skipIf(asRoot.some)(`of others are foreign${asRoot.words}`, () => {
    const folder = testFolder();
    chownSync(folder, 12345, 12345);
    expect(folderState(folder)).toBe("foreign");
  });
});

describe("isErrno", () => {
  it.each([
    [Object.assign(new Error(), { code: "ENOENT" }), true],
    [Object.assign(new Error(), { code: "EIO" }), false],
    [new Error("ENOENT"), false],
    [undefined, false],
    ["ENOENT", false],
  ])("%s: %s", (error, verdict) => {
    expect(isErrno(error, "EEXIST", "ENOENT")).toBe(verdict);
  });
});
