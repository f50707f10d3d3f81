import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { until } from "./command";
import { type Paths, paths } from "./paths";
import { startDaemon } from "./processes";
import { ensureTool, linkPrograms } from "./tools";
import { BUCKET_PORT, HOST_ADDRESS } from "./topology";

/** How a bucket of the sandbox's S3 server is reached, from pods and from this host. */
export interface BucketAccess {
  readonly bucket: string;
  /** Host and port, plain HTTP. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/**
 * A bucket on the sandbox's S3 server, which is built and started if it isn't there. The cluster must be up.
 *
 * @param bucket its name, as S3 has them
 * @throws {RangeError} if the name is none of S3's
 * @throws {StepFailed} with the log of what failed
 */
export async function ensureBucket(
  bucket: string,
  where: Paths = paths(),
  report: (text: string) => void = () => {},
): Promise<BucketAccess> {
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) throw new RangeError(`${JSON.stringify(bucket)} is no name of a bucket`);
  linkPrograms(await ensureTool("versitygw", where, report), where);
  mkdirSync(join(where.buckets, bucket), { recursive: true });
  const access = {
    bucket,
    endpoint: `${HOST_ADDRESS}:${BUCKET_PORT}`,
    region: "us-east-1",
    accessKey: "sandbox",
    secretKey: "sandbox-secret",
  };
  const log = join(where.logs, "versitygw.log");
  await startDaemon(where.run, {
    name: "versitygw",
    command: [join(where.bin, "versitygw"), "--port", access.endpoint, "posix", where.buckets],
    log,
    cgroup: "bucket",
    env: { ROOT_ACCESS_KEY: access.accessKey, ROOT_SECRET_KEY: access.secretKey },
  });
  await until("the S3 server did not come up", () => answers(HOST_ADDRESS, BUCKET_PORT), { timeout: 30_000, log });
  return access;
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once("connect", () => end(true))
      .once("error", () => end(false))
      .once("timeout", () => end(false));
  });
}
