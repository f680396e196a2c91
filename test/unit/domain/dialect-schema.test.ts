import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dialectJsonSchema } from "../../../src/domain";

describe("the published schema of dialects", () => {
  it("is the one that the code checks by", () => {
    const published: unknown = JSON.parse(readFileSync(join(__dirname, "../../../docs/dialect.schema.json"), "utf8"));
    expect(published).toEqual(JSON.parse(JSON.stringify(dialectJsonSchema())));
  });
});
