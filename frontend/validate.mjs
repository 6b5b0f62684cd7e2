// Khronos's glTF validator on files:  node validate.mjs a.glb b.glb   prints one JSON report for each
import { readFileSync } from "node:fs";
import { validateBytes } from "gltf-validator";

for (const path of process.argv.slice(2)) {
  const report = await validateBytes(new Uint8Array(readFileSync(path)), { uri: path, maxIssues: 20 });
  console.log(JSON.stringify(report));
}
