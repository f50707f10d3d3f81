import { z } from "zod";

/**
 * IP networks as a NetworkPolicy's `ipBlock` takes them: address and prefix length, in the one form that names this network.
 * Source: k8s.io/apimachinery pkg/util/validation `IsValidCIDR` (KEP-4858), which refuses leading zeros, bits behind the prefix,
 * IPv4 within IPv6 and other spellings.
 */

/** Form that {@link isNetwork} accepts, for messages. */
export const NETWORK_FORM = "a network such as 10.0.0.0/8, 169.254.20.10/32 or fd00:ec2::/64, without bits behind its prefix";

/** A network, or an address within one. */
export interface IpNetwork {
  version: 4 | 6;
  /** Bits of the prefix. */
  prefix: number;
  /** The bits of the prefix, without those behind it. */
  network: bigint;
  /** The bits behind the prefix; 0 where the address is the network's. */
  host: bigint;
}

/** Bits of an address. */
const BITS: Record<IpNetwork["version"], number> = { 4: 32, 6: 128 };

/** Whether a text names a network, in its one form. */
export function isNetwork(text: string): boolean {
  return networkOf(text)?.host === 0n;
}

/**
 * Remedy for a text that names no network, as far as one is meant; undefined where it is a network.
 *
 * @param otherwise What would be accepted in place of anything else.
 */
export function networkMeant(text: string, otherwise: string): string | undefined {
  const network = networkOf(text);
  if (network !== undefined) {
    const address = alone(text.slice(0, text.indexOf("/")));
    return network.host === 0n
      ? undefined
      : `a network without bits behind its prefix of ${network.prefix}, or the address alone: ${address}`;
  }
  const whole = alone(text);
  if (whole !== undefined) return `the address as a network: ${whole}`;
  const usual = asKubernetesWrites(text);
  return usual === undefined ? otherwise : `the same as Kubernetes writes it: ${usual}`;
}

/** A network of IPv6, or an address, in the one form that it has; undefined where the text is neither. */
function asKubernetesWrites(text: string): string | undefined {
  const [address = "", length] = text.split("/");
  if (!z.ipv6().safeParse(address).success) return undefined;
  const usual = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const network = length === undefined ? alone(usual) : `${usual}/${length}`;
  return network !== undefined && isNetwork(network) ? network : undefined;
}

/** The address and prefix of a text; undefined where it is neither. */
export function networkOf(text: string): IpNetwork | undefined {
  const [address = "", length = ""] = text.split("/");
  if (!/^(?:0|[1-9]\d*)$/.test(length)) return undefined;
  const prefix = Number(length);
  const divided = (version: IpNetwork["version"], value: bigint): IpNetwork => {
    const behind = BigInt(BITS[version] - prefix);
    return { version, prefix, network: value >> behind, host: value & ((1n << behind) - 1n) };
  };
  if (z.cidrv4().safeParse(text).success) return divided(4, bitsOf(address.split("."), 10, 8));
  // To the Internet's standards zones and IPv4 addresses are part of an IPv6 address, to Kubernetes they are not.
  if (!/^[0-9a-f:]+$/.test(address) || !z.cidrv6().safeParse(text).success) return undefined;
  const value = bitsOf(groupsOf(address), 16, 16);
  if (new URL(`http://[${address}]`).hostname !== `[${address}]` || value >> 32n === 0xffffn) return undefined;
  return divided(6, value);
}

/** An address as a network of its own, such as `10.0.0.7/32`; undefined where the text is no address. */
export function alone(address: string): string | undefined {
  // A prefix that addresses of both versions may have.
  const network = networkOf(`${address}/32`);
  return network === undefined ? undefined : `${address}/${BITS[network.version]}`;
}

/** Whether an address is in a network; false where one of the two texts is none. */
export function isWithin(address: string, network: string): boolean {
  const [one, outer] = [networkOf(alone(address) ?? ""), networkOf(network)];
  if (one === undefined || outer === undefined || one.version !== outer.version) return false;
  return one.network >> BigInt(BITS[outer.version] - outer.prefix) === outer.network;
}

/** Whether two networks have an address in common; false where one of the two texts is none. */
export function overlap(one: string, other: string): boolean {
  const [left, right] = [networkOf(one), networkOf(other)];
  if (left === undefined || right === undefined || left.version !== right.version) return false;
  const [wide, narrow] = left.prefix <= right.prefix ? [left, right] : [right, left];
  return narrow.network >> BigInt(narrow.prefix - wide.prefix) === wide.network;
}

/** The eight groups of an IPv6 address, in hexadecimal. */
function groupsOf(address: string): string[] {
  const [left = [], right = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right];
}

function bitsOf(groups: readonly string[], base: number, bits: number): bigint {
  return groups.reduce((value, group) => (value << BigInt(bits)) | BigInt(Number.parseInt(group, base)), 0n);
}
