import assert from "node:assert/strict";
import {
  IMAGES,
  imageVersion,
  MEMCACHED_VERSION,
  PROMETHEUS_VERSION,
  SUPPORTED_PROMETHEUS,
  SUPPORTED_THANOS,
  THANOS_VERSION,
} from "../../../model/values/versions";

describe("versions", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  for (const [image, expected] of [
    ["quay.io/thanos/thanos:v0.42.4", "0.42.4"],
    [`quay.io/thanos/thanos:v0.42.4@${digest}`, "0.42.4"],
    ["registry.example:5000/thanos:0.42.4", "0.42.4"],
    ["thanos:main-2026-11-01", "main-2026-11-01"],
    ["thanos:vanilla", "vanilla"],
  ] as const) {
    it(`${image} is ${expected}`, () => assert.equal(imageVersion(image), expected));
  }

  it("of the pinned images are the pinned ones, and Thanos' is supported", () => {
    assert.deepEqual([IMAGES.thanos, IMAGES.prometheus, IMAGES.memcached].map(imageVersion), [
      THANOS_VERSION,
      PROMETHEUS_VERSION,
      MEMCACHED_VERSION,
    ]);
    assert.match(THANOS_VERSION, SUPPORTED_THANOS);
    for (const version of [PROMETHEUS_VERSION, "3.8.0", "3.10.1-distroless"]) assert.match(version, SUPPORTED_PROMETHEUS);
    // Of prom-label-proxy nobody was found who pins this version (decision 36).
    const { promLabelProxy, ...digested } = IMAGES;
    assert.doesNotMatch(promLabelProxy, /@/);
    for (const image of Object.values(digested)) assert.match(image, /@sha256:[0-9a-f]{64}$/);
  });

  for (const version of ["2.55.1", "3.7.3", "3.8", "4.0.0", "13.8.0", "main"]) {
    it(`Prometheus ${version} is not supported`, () => assert.doesNotMatch(version, SUPPORTED_PROMETHEUS));
  }

  for (const version of ["0.40.9", "0.43.0", "0.421.0", "10.42.4", "0.42", "main"]) {
    it(`Thanos ${version} is not supported`, () => assert.doesNotMatch(version, SUPPORTED_THANOS));
  }
});
