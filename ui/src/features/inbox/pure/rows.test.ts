import { describe, expect, it } from "vitest";
import { row } from "./fixtures";
import { addPage, mergeTop, neighbour, sameOrder, updateInPlace } from "./rows";

const ids = (rows: readonly { id: number }[]) => rows.map((one) => one.id);
const rows = (...of: number[]) => of.map((id) => row(id));

describe("mergeTop", () => {
  it("replaces all when the view is loaded whole", () => {
    const merged = mergeTop({ rows: rows(1, 2, 3), next: null }, { rows: rows(3, 1), next: null });
    expect(ids(merged.rows)).toEqual([3, 1]);
  });

  it("keeps the object of a row that did not change, so that it is not drawn again", () => {
    const old = rows(1, 2);
    const merged = mergeTop({ rows: old, next: null }, { rows: [row(2), row(1, { preview: "neu" })], next: null });
    expect(merged.rows[0]).toBe(old[1]);
    expect(merged.rows[1]).not.toBe(old[0]);
  });

  it("keeps what was loaded further down, without doubles and without a hole", () => {
    const old = { rows: rows(1, 2, 3, 4, 5, 6), next: "c6" };
    const merged = mergeTop(old, { rows: rows(5, 9, 1), next: "c1" });
    expect(ids(merged.rows)).toEqual([5, 9, 1, 6]);
    const risen = mergeTop(old, { rows: rows(9, 1, 2), next: "c2" });
    expect(ids(risen.rows)).toEqual([9, 1, 2, 3, 4, 5, 6]);
    expect(risen.next).toBe("c6");
  });

  it("starts anew when nothing of the old top is left", () => {
    const merged = mergeTop({ rows: rows(1, 2, 3), next: "c3" }, { rows: rows(7, 8), next: "c8" });
    expect(ids(merged.rows)).toEqual([7, 8]);
    expect(merged.next).toBe("c8");
  });
});

it("adds a page without doubles", () => {
  const grown = addPage({ rows: rows(1, 2), next: "c2" }, { rows: rows(2, 3), next: null });
  expect(ids(grown.rows)).toEqual([1, 2, 3]);
  expect(grown.next).toBeNull();
});

it("renews rows in place without moving them", () => {
  const shown = updateInPlace(rows(1, 2), [row(2, { unread: 3 }), row(9), row(1)]);
  expect(shown.map((one) => [one.id, one.unread])).toEqual([
    [1, 0],
    [2, 3],
  ]);
});

it("compares order by id only", () => {
  expect(sameOrder(rows(1, 2), [row(1, { unread: 1 }), row(2)])).toBe(true);
  expect(sameOrder(rows(1, 2), rows(2, 1))).toBe(false);
});

describe("neighbour", () => {
  const list = rows(1, 2, 3);
  it("steps and stops at both ends", () => {
    expect(neighbour(list, 1, 0, 1)?.id).toBe(2);
    expect(neighbour(list, 3, 2, 1)).toBeNull();
    expect(neighbour(list, 1, 0, -1)).toBeNull();
    expect(neighbour(list, null, 0, 1)?.id).toBe(1);
    expect(neighbour([], null, 0, 1)).toBeNull();
  });

  it("knows the place of a row that left the list", () => {
    expect(neighbour(rows(1, 3), 2, 1, 1)?.id).toBe(3);
    expect(neighbour(rows(1, 3), 2, 1, -1)?.id).toBe(1);
    expect(neighbour(rows(1), 2, 1, 1)?.id).toBe(1);
  });
});
