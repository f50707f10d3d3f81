import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ForbiddenError } from "../../clients/transport";
import { runProgram } from "../../commands/program";
import { examineCertificates } from "../../gates/certificateEnds";
import type { CertificateView } from "../../gates/cluster";
import { TLS_SECRETS } from "../components/plans";
import { CERTIFICATE, configOf } from "../harness";

const TODAY = new Date("2200-01-01T00:00:00Z");
const ENDED = { data: { "tls.crt": Buffer.from(CERTIFICATE).toString("base64") } };

describe("gates: certificates that end", () => {
  const runWhere = (secret: CertificateView["secret"], { preview = true, day = TODAY } = {}) =>
    runProgram({
      config: configOf(TLS_SECRETS.stack, TLS_SECRETS.overrides),
      stack: TLS_SECRETS.stack,
      preview,
      examineEnds: (settings) => examineCertificates(settings, { secret, certificate: () => Promise.resolve(undefined) }, day),
    });

  for (const preview of [true, false]) {
    it(`are refused ${preview ? "at preview" : "at an update"}, by key, before anything is registered`, async () => {
      const error = await runWhere(async (name) => (name === "inside" ? ENDED : undefined), { preview }).then(
        () => assert.fail("accepted"),
        (reason: unknown) => reason,
      );
      assert.ok(pulumi.RunError.isInstance(error), String(error));
      assert.match(error.message, /tls\.certificates\.secrets\.all = "inside, tls\.crt": it ended \d+ days ago, on 2126-11-02; /);
    });
  }

  it("are taken where they go on", async () => {
    const { resources, warnings } = await runWhere(async () => ENDED, { day: new Date() });
    assert.ok(resources.length > 20);
    assert.deepEqual(
      warnings.filter((each) => /certificat/i.test(each)),
      [],
    );
  });

  it("are told of, and no reason to refuse, where nobody may look or there is no cluster", async () => {
    const { resources, warnings } = await runWhere(async (name) => {
      throw name === "inside" ? new ForbiddenError("answered 403") : new Error("no cluster");
    });
    assert.ok(resources.length > 20);
    assert.match(warnings.join("\n"), /Not checked when these end: .*Secret inside \(answered 403\)/);
  });
});
