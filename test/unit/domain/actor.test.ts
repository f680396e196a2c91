import { actorText } from "../../../src/domain";

describe("the text of an actor", () => {
  it("has one form, whichever way the name came in", () => {
    expect(actorText({ name: "ani", via: "cli:root@host" })).toBe("ani (cli:root@host)");
    expect(actorText({ name: "Budi S.", via: "api:desk/0b7f6b2e@10.0.0.1" })).toBe(
      "Budi S. (api:desk/0b7f6b2e@10.0.0.1)",
    );
  });

  it("keeps its form at its greatest length", () => {
    const text = actorText({ name: "n".repeat(100), via: "v".repeat(300) });
    expect(text).toHaveLength(200);
    expect(text).toMatch(/^n{100} \(v{97}\)$/);
  });
});
