// Bundles three.js.  npm ci && npm run build   writes ../static/vendor/three-HASH.js and ../static/js/three.js
//                    npm run check             fails if what is committed is not what would be built
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const vendor = new URL("../static/vendor/", import.meta.url);
const entry = new URL("../static/js/three.js", import.meta.url);

const { outputFiles } = await build({
  entryPoints: [new URL("three.js", import.meta.url).pathname],
  bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "inline", write: false,
});
const code = outputFiles[0].contents;
const name = `three-${createHash("sha256").update(code).digest("hex").slice(0, 10)}.js`;
const reexport = `// Written by frontend/build.mjs: the one place that knows the bundle's name.\nexport * from "../vendor/${name}";\n`;

if (process.argv.includes("--check")) {
  const same = existsSync(new URL(name, vendor)) && readFileSync(entry, "utf8") === reexport;
  console.log(same ? `${name} is what the sources give` : `static/vendor is stale: run npm run build (${name})`);
  process.exit(same ? 0 : 1);
}
mkdirSync(vendor, { recursive: true });
mkdirSync(new URL(".", entry), { recursive: true });
for (const old of readdirSync(vendor)) if (/^three-.*\.js$/.test(old)) unlinkSync(new URL(old, vendor));
writeFileSync(new URL(name, vendor), code);
writeFileSync(entry, reexport);
copyFileSync(new URL("node_modules/three/LICENSE", import.meta.url), new URL("three-LICENSE.txt", vendor));
console.log(`${name}: ${code.length} bytes`);
