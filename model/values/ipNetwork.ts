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
  /** The bits behind the prefix; 0 where the address is the network's. */
  host: bigint;
}

/** Whether a text names a network, in its one form. */
export function isNetwork(text: string): boolean {
  return networkOf(text)?.host === 0n;
}

/** The address and prefix of a text; undefined where it is neither. */
export function networkOf(text: string): IpNetwork | undefined {
  const [address = "", length = ""] = text.split("/");
  if (!/^(?:0|[1-9]\d*)$/.test(length)) return undefined;
  const prefix = Number(length);
  const behind = (value: bigint, bits: number) => value & ((1n << BigInt(bits - prefix)) - 1n);
  if (z.cidrv4().safeParse(text).success) return { version: 4, prefix, host: behind(bitsOf(address.split("."), 10, 8), 32) };
  // To the Internet's standards zones and IPv4 addresses are part of an IPv6 address, to Kubernetes they are not.
  if (!/^[0-9a-f:]+$/.test(address) || !z.cidrv6().safeParse(text).success) return undefined;
  const value = bitsOf(groupsOf(address), 16, 16);
  if (new URL(`http://[${address}]`).hostname !== `[${address}]` || value >> 32n === 0xffffn) return undefined;
  return { version: 6, prefix, host: behind(value, 128) };
}

/** The eight groups of an IPv6 address, in hexadecimal. */
function groupsOf(address: string): string[] {
  const [left = [], right = []] = address.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right];
}

function bitsOf(groups: readonly string[], base: number, bits: number): bigint {
  return groups.reduce((value, group) => (value << BigInt(bits)) | BigInt(Number.parseInt(group, base)), 0n);
}
