/** Does something for each item, so many at a time; the first failure ends it. */
export async function atOnce<Item>(
  items: readonly Item[],
  count: number,
  act: (item: Item) => Promise<unknown>,
): Promise<void> {
  const waiting = items.values();
  const lanes = Array.from({ length: count }, async () => {
    for (const item of waiting) await act(item);
  });
  await Promise.all(lanes);
}
