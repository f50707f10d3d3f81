import { fieldChanges, formatPath } from "../protocol/changes";
import {
  type Checked,
  type CheckRequest,
  type CreateRequest,
  type Difference,
  type DiffRequest,
  type Failure,
  NotOffered,
  type ReadRequest,
  type ReadResult,
  type ResourceProvider,
  type UpdateRequest,
} from "../protocol/provider";
import { at, containsUnknown, Secret, textAt, Unknown, unknown, type ValueMap } from "../protocol/values";
import { randomId, randomInteger, randomText, recipeProblems, textRecipe } from "./generate";

/** One type of random resource. */
interface Generator {
  required: readonly string[];
  /** Outputs whose values are made up, and so unknown before. */
  made: readonly string[];
  /** Whether the outputs made up are secret. */
  secret: boolean;
  problems: (inputs: ValueMap) => Failure[];
  make: (inputs: ValueMap) => { id: string; outputs: ValueMap };
}

function numberAt(inputs: ValueMap, key: string): number {
  const value = at(inputs, key);
  return typeof value === "number" ? value : Number.NaN;
}

/** `number` and `numeric` are two names of one input; both are outputs, with the default filled in. */
function textOutputs(inputs: ValueMap, result: string): ValueMap {
  const { length: _, ...recipe } = textRecipe(inputs);
  return { ...recipe, number: recipe.numeric, result };
}

const text = {
  required: ["length"],
  made: ["result"],
  problems: (inputs: ValueMap) => recipeProblems(textRecipe(inputs)),
};

const generators: Readonly<Record<string, Generator>> = {
  "random:index/randomPassword:RandomPassword": {
    ...text,
    secret: true,
    // The identifier is no secret, so it cannot be the password. `bcryptHash` is not among the outputs.
    make: (inputs) => ({ id: "none", outputs: textOutputs(inputs, randomText(textRecipe(inputs))) }),
  },
  "random:index/randomString:RandomString": {
    ...text,
    secret: false,
    make: (inputs) => {
      const result = randomText(textRecipe(inputs));
      return { id: result, outputs: textOutputs(inputs, result) };
    },
  },
  "random:index/randomId:RandomId": {
    required: ["byteLength"],
    made: ["b64Std", "b64Url", "dec", "hex"],
    secret: false,
    problems: (inputs) => {
      const length = numberAt(inputs, "byteLength");
      return Number.isInteger(length) && length >= 1 ? [] : [{ property: "byteLength", reason: "must be a whole number of at least 1" }];
    },
    make: (inputs) => randomId(numberAt(inputs, "byteLength"), textAt(inputs, "prefix") ?? ""),
  },
  "random:index/randomInteger:RandomInteger": {
    required: ["min", "max"],
    made: ["result"],
    secret: false,
    problems: (inputs) => {
      if (at(inputs, "seed") !== undefined) {
        return [
          { property: "seed", reason: "is not offered by this stand-in provider: the official provider's numbers could not be reproduced" },
        ];
      }
      const min = numberAt(inputs, "min");
      const max = numberAt(inputs, "max");
      return Number.isInteger(min) && Number.isInteger(max) && min <= max
        ? []
        : [{ property: "max", reason: "must be a whole number, not less than min" }];
    },
    make: (inputs) => {
      const result = randomInteger(numberAt(inputs, "min"), numberAt(inputs, "max"));
      return { id: String(result), outputs: { result } };
    },
  },
};

function generatorOf(type: string): Generator {
  const found = generators[type];
  if (found === undefined) {
    const offered = Object.keys(generators).map((token) => token.split(":")[2]);
    throw new NotOffered(`${type} is not offered by this stand-in provider; it has ${offered.join(", ")}`);
  }
  return found;
}

/** Random values that are made once and then kept in the state until an input, such as a keeper, changes. */
export class RandomProvider implements ResourceProvider {
  async checkConfig({ news }: { news: ValueMap }): Promise<Checked> {
    return { inputs: news, failures: [] };
  }

  async diffConfig(): Promise<Difference> {
    return { changes: [], deleteBeforeReplace: false };
  }

  async configure(): Promise<void> {}

  cancel(): void {}

  async check({ type, newInputs }: CheckRequest): Promise<Checked> {
    const generator = generatorOf(type);
    const missing = generator.required.filter((key) => at(newInputs, key) === undefined || at(newInputs, key) === null);
    const failures = missing.map((property) => ({ property, reason: "is required" }));
    const open = Object.keys(newInputs).some((key) => key !== "keepers" && at(newInputs, key) instanceof Unknown);
    return { inputs: newInputs, failures: failures.length > 0 || open ? failures : generator.problems(newInputs) };
  }

  async diff({ oldInputs, newInputs }: DiffRequest): Promise<Difference> {
    const changes = fieldChanges(oldInputs, newInputs).map(({ path, kind }) => ({ path: formatPath(path), kind, replaces: true }));
    return { changes, deleteBeforeReplace: false };
  }

  async create({ type, inputs, preview }: CreateRequest): Promise<{ id: string; outputs: ValueMap }> {
    const generator = generatorOf(type);
    const { id, outputs } = preview ? { id: "", outputs: {} } : generator.make(inputs);
    const made: ValueMap = { ...inputs, ...outputs };
    for (const key of generator.made) {
      const value = preview || containsUnknown(inputs) ? unknown : (outputs[key] ?? null);
      made[key] = generator.secret ? new Secret(value) : value;
    }
    return { id, outputs: made };
  }

  async read({ id, inputs, outputs }: ReadRequest): Promise<ReadResult> {
    if (inputs === undefined) {
      throw new NotOffered("this stand-in provider imports no random values");
    }
    return { id, outputs, inputs };
  }

  async update({ newInputs, oldOutputs }: UpdateRequest): Promise<ValueMap> {
    return { ...oldOutputs, ...newInputs };
  }

  async delete(): Promise<void> {}
}
