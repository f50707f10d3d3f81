import { IMAGES } from "../model/values/versions";

/**
 * The stack's images under the names that the sandbox gives its own. It builds Thanos, Prometheus and prom-label-proxy from the modules of
 * the very versions; that makes other bytes than the projects' images have, so their digests would be a lie. memcached and HAProxy are what
 * this machine's Debian has, of whichever version, so their names are the sandbox's own.
 */
export const SANDBOX_STACK_IMAGES = {
  thanos: withoutDigest(IMAGES.thanos),
  prometheus: withoutDigest(IMAGES.prometheus),
  memcached: "localhost/thanos-stack/memcached:debian",
  haproxy: "localhost/thanos-stack/haproxy:debian",
  promLabelProxy: withoutDigest(IMAGES.promLabelProxy),
} as const;

function withoutDigest(image: string): string {
  return image.replace(/@.*$/, "");
}
