import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { paths } from "../../sandbox/paths";
import { ensureTool } from "../../sandbox/tools";
import { BRIDGE, LINK_PREFIX, NAME } from "../../sandbox/topology";

/** A machine beside the cluster's nodes, which is none of them: a network namespace at their bridge, in which Prometheus runs. */

const NETWORK = `${NAME}-outside`;
const LINK = `${LINK_PREFIX}-out`;
/** Of the nodes' network, and no node's. */
const ADDRESS = "10.89.0.200/24";

/** How a Prometheus writes. */
export interface OutsideSender {
  /** Value of its external label `sender`, and its name. */
  name: string;
  /** Fields of its `remote_write`, beside the URL. */
  client: object;
}

/**
 * Runs agents, each of which scrapes itself every second and writes `up` of it, for as long as something is done.
 *
 * @param directory where their files are
 * @param url of remote write
 */
export async function withOutsideSenders(
  directory: string,
  url: string,
  senders: readonly OutsideSender[],
  act: () => Promise<void>,
): Promise<void> {
  const program = (await ensureTool("prometheus", paths(), () => undefined)).prometheus;
  if (program === undefined) throw new Error("Prometheus is not among the programs");
  const ip = (...args: string[]) => execa("ip", args);
  const running: { kill: (signal: "SIGKILL") => boolean; ended: Promise<unknown> }[] = [];
  const remove = () => ip("netns", "delete", NETWORK);
  if (existsSync(`/run/netns/${NETWORK}`)) await remove();
  await ip("netns", "add", NETWORK);
  try {
    await ip("link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", NETWORK);
    await ip("link", "set", LINK, "master", BRIDGE, "up");
    await ip("-n", NETWORK, "address", "add", ADDRESS, "dev", "eth0");
    for (const device of ["lo", "eth0"]) await ip("-n", NETWORK, "link", "set", device, "up");
    for (const [index, { name, client }] of senders.entries()) {
      const address = `127.0.0.1:${9_090 + index}`;
      const data = join(directory, `agent-${name}`);
      mkdirSync(data);
      const file = join(directory, `agent-${name}.yml`);
      const only = [{ source_labels: ["__name__"], regex: ".*", action: "drop" }];
      writeFileSync(
        file,
        stringify({
          global: { scrape_interval: "1s", scrape_timeout: "1s", external_labels: { sender: name } },
          scrape_configs: [{ job_name: "outside", static_configs: [{ targets: [address] }], metric_relabel_configs: only }],
          remote_write: [{ url, queue_config: { batch_send_deadline: "1s" }, metadata_config: { send: false }, ...client }],
        }),
      );
      const args = ["--agent", `--config.file=${file}`, `--storage.agent.path=${data}`, `--web.listen-address=${address}`];
      const child = execa("nsenter", [`--net=/run/netns/${NETWORK}`, program.path, ...args], { stdio: "ignore" });
      running.push({ kill: (signal) => child.kill(signal), ended: child.catch(() => undefined) });
    }
    await act();
  } finally {
    for (const { kill } of running) kill("SIGKILL");
    // The link goes with its other end, and that with the last process there.
    await Promise.all(running.map(({ ended }) => ended));
    await remove();
  }
}
