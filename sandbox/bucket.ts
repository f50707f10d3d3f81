import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { StepFailed, until } from "./command";
import { type Paths, paths } from "./paths";
import { killDaemon, runningDaemon, startDaemon } from "./processes";
import { ensureTool, linkPrograms } from "./tools";
import { BUCKET_PORT, HOST_ADDRESS } from "./topology";

/** How a bucket of the sandbox's S3 server is reached, from pods and from this host. */
export interface BucketAccess {
  readonly bucket: string;
  /** Host and port, TLS. */
  readonly endpoint: string;
  readonly region: string;
  /** File with the certificate of the authority by which the server is known. */
  readonly caFile: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

const DAEMON = "versitygw";

/** The sandbox's S3 server, without a bucket. The certificates are there once the cluster is. */
export function bucketServer(where: Paths = paths()) {
  return {
    endpoint: `${HOST_ADDRESS}:${BUCKET_PORT}`,
    region: "us-east-1",
    caFile: join(where.pki, "ca.crt"),
    // Everything that it holds is made by the sandbox and goes with it.
    credentials: { accessKey: "sandbox", secretKey: "sandbox-secret" },
  };
}

/** How a bucket of the sandbox's S3 server is reached, whether it exists or not. */
export function bucketAccess(bucket: string): BucketAccess {
  const { endpoint, region, caFile, credentials } = bucketServer();
  return { bucket, endpoint, region, caFile, ...credentials };
}

/**
 * A bucket on the sandbox's S3 server, which is built and started if it isn't there. The cluster must be up.
 *
 * @param bucket its name, as S3 has them: 3 to 63 lower-case letters, digits, '.' and '-', letters or digits at its ends
 * @throws {RangeError} if the name is none of S3's
 * @throws {StepFailed} with the log of what failed
 */
export async function ensureBucket(
  bucket: string,
  where: Paths = paths(),
  report: (text: string) => void = () => {},
): Promise<BucketAccess> {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw new RangeError(`${JSON.stringify(bucket)} is no name of a bucket`);
  linkPrograms(await ensureTool("versitygw", where, report), where);
  mkdirSync(join(where.buckets, bucket), { recursive: true });
  await startServer(where);
  return bucketAccess(bucket);
}

/**
 * An outage of the object storage: the S3 server is killed, what it holds stays on disk. Does nothing if it doesn't run.
 */
export async function stopBucket(where: Paths = paths()): Promise<void> {
  await killDaemon(where.run, DAEMON);
}

/**
 * Ends what {@link stopBucket} began.
 *
 * @throws {StepFailed} if there never was a bucket, or with the server's log if it doesn't come up
 */
export async function startBucket(where: Paths = paths()): Promise<void> {
  if (buckets(where).length === 0) {
    throw new StepFailed("the sandbox has no bucket; `sandbox cluster bucket <name>` makes one, and so does an environment that names one");
  }
  await startServer(where);
}

/** Whether the S3 server runs. */
export function bucketRuns(where: Paths = paths()): boolean {
  return runningDaemon(where.run, DAEMON) !== undefined;
}

/** The names of the buckets that were made. */
export function buckets(where: Paths = paths()): string[] {
  if (!existsSync(where.buckets)) return [];
  return readdirSync(where.buckets, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
}

async function startServer(where: Paths): Promise<void> {
  const log = join(where.logs, `${DAEMON}.log`);
  const { endpoint, credentials } = bucketServer();
  await startDaemon(where.run, {
    name: DAEMON,
    command: [
      join(where.bin, "versitygw"),
      ...["--port", endpoint, "--cert", join(where.pki, `${DAEMON}.crt`), "--key", join(where.pki, `${DAEMON}.key`)],
      ...["posix", where.buckets],
    ],
    log,
    cgroup: "bucket",
    env: { ROOT_ACCESS_KEY: credentials.accessKey, ROOT_SECRET_KEY: credentials.secretKey },
  });
  await until("the S3 server did not come up", () => answers(HOST_ADDRESS, BUCKET_PORT), {
    timeout: 30_000,
    log,
    hopeless: () => (bucketRuns(where) ? undefined : "it ended"),
  });
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
