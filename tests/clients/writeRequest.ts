/**
 * Decodes remote write requests with protobufjs' own reflection and the specification's message types:
 * independent of the encoder under test.
 */
import protobuf from "protobufjs";
import { uncompress } from "snappyjs";

const SPECIFICATION = `
syntax = "proto3";
message WriteRequest { repeated TimeSeries timeseries = 1; reserved 2; }
message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
message Label { string name = 1; string value = 2; }
message Sample { double value = 1; int64 timestamp = 2; }
`;

const writeRequest = protobuf.parse(SPECIFICATION).root.lookupType("WriteRequest");

export interface DecodedSeries {
  labels: { name: string; value: string }[];
  samples: { value: number; timestamp: number }[];
}

export function decodeWriteRequest(message: Uint8Array): DecodedSeries[] {
  const decoded = writeRequest.toObject(writeRequest.decode(message), { longs: Number, defaults: true, arrays: true });
  return decoded.timeseries as DecodedSeries[];
}

export function decodeWriteBody(body: Uint8Array): DecodedSeries[] {
  return decodeWriteRequest(uncompress(body));
}
