// Answers searches over standard input and output, a line of JSON each. Arguments: the package's entry file.
// The first lines are rows ([key, name, summary, description]), then an empty line, then texts to search.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { default: MiniSearch } = await import(pathToFileURL(process.argv[2]).href);
const index = new MiniSearch({
  fields: ["c0", "c1", "c2"],
  searchOptions: { boost: { c0: 10, c1: 3, c2: 1 }, combineWith: "AND", prefix: true, fuzzy: 0.2 },
});
let isLoaded = false;
for await (const line of createInterface({ input: process.stdin })) {
  if (isLoaded) {
    const [text, limit] = JSON.parse(line);
    const keys = index.search(text).slice(0, limit).map((found) => found.id);
    process.stdout.write(JSON.stringify(keys) + "\n");
  } else if (line === "") {
    isLoaded = true;
    process.stdout.write("[]\n");
  } else {
    const [id, c0, c1, c2] = JSON.parse(line);
    if (!index.has(id)) index.add({ id, c0, c1, c2 });
  }
}
