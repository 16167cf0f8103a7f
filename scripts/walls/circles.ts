/** Circles of imports: files of which each imports, by way of others, itself. */

/** From each file to the files that it imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The circles of a graph, each as its sorted files: the strongly connected components of more than one file (Tarjan's
 * algorithm). Two circles that share a file are one.
 */
export function circlesOf(graph: ImportGraph): string[][] {
  const circles: string[][] = [];
  const order = new Map<string, number>();
  const path: string[] = [];
  const onPath = new Set<string>();

  /** Returns the index of the earliest file on the path that the file reaches. */
  const visit = (file: string): number => {
    const index = order.size;
    let low = index;
    order.set(file, index);
    path.push(file);
    onPath.add(file);
    for (const imported of graph.get(file) ?? []) {
      if (!graph.has(imported)) continue;
      const seen = order.get(imported);
      if (seen === undefined) low = Math.min(low, visit(imported));
      else if (onPath.has(imported)) low = Math.min(low, seen);
    }
    if (low === index) {
      const component = path.splice(path.indexOf(file));
      for (const member of component) onPath.delete(member);
      if (component.length > 1) circles.push(component.sort());
    }
    return low;
  };

  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}
