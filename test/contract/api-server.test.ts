import { afterAll, beforeAll, describe } from "vitest";
import { startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { describeCredentials } from "./api-server/credentials.ts";
import { describeKubelet } from "./api-server/kubelet.ts";
import { describeNodes } from "./api-server/nodes.ts";
import { describeServer } from "./api-server/server.ts";
import { type Subject, startSubject } from "./api-server/subject.ts";

const noReal = reasonForNoRealApiServer();
const lack = whatLacks(noReal === undefined ? {} : { missing: `a real one: ${noReal}` });

describe("embedded API server", () => describeApiServer(startEmbeddedApiServer));
describe.skipIf(lack.some)(`real API server${lack.words}`, () => describeApiServer(startRealApiServer));

function describeApiServer(start: Parameters<typeof startSubject>[0]): void {
  let subject: Subject | undefined;
  const getSubject = (): Subject => subject as Subject;

  beforeAll(async () => {
    subject = await startSubject(start);
  });
  afterAll(() => subject?.close());

  describeKubelet(getSubject);
  describeCredentials(getSubject);
  describeNodes(getSubject);
  describeServer(getSubject);
}
