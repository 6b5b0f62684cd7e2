// What a drop or a paste carries: photos, folders of them, a link, or words.

const IMAGE_DATA = /data:(image\/[\w.+-]+);base64,([\w+/=]+)/;
const NAMES = /\.(jpe?g|png|webp|avif|hei[cf]|jxl|dng|nef|nrw|cr2|cr3|arw|srf|sr2|raf|rw2|rwl|orf|pef|srw|dcr|kdc|erf|mef|mos|mrw|x3f|3fr|fff|iiq)$/i;

const FILMS = /\.(mp4|mov|mkv|webm|avi|m4v|m?ts|m2ts|mpe?g|wmv|3gp)$/i;

// By kind, or by name: browsers know no kind for HEIC and raw files. Where the server cannot read one, it says so.
export const looksLikeAPhoto = (file) => /^image\//.test(file.type) || NAMES.test(file.name);

export const looksLikeAFilm = (file) => /^video\//.test(file.type) || FILMS.test(file.name);

// The picture itself, where somebody's page had it in its text instead of behind an address.
function pictureIn(text) {
  const found = IMAGE_DATA.exec(text);
  if (!found) return null;
  const bytes = Uint8Array.from(atob(found[2]), (letter) => letter.charCodeAt(0));
  return new File([bytes], `picture.${found[1].split("/")[1].replace("jpeg", "jpg")}`, { type: found[1] });
}

function entries(folder) {
  const reader = folder.createReader();
  const all = [];
  return new Promise((resolve, reject) => {
    const more = () => reader.readEntries((some) => {  // at most a hundred at a time
      if (!some.length) return resolve(all);
      all.push(...some);
      more();
    }, reject);
    more();
  });
}

async function filesIn(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const inside = (await entries(entry)).filter((one) => !one.name.startsWith("."));
  inside.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (await Promise.all(inside.map(filesIn))).flat();
}

// { files, folders, link, text }: what there is of each. Call it within the event: afterwards the browser has forgotten.
export async function carriedBy(transfer) {
  const roots = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const [link, html, text] = ["text/uri-list", "text/html", "text/plain"].map((kind) => transfer.getData(kind).trim());
  const folders = roots.filter((root) => root?.isDirectory);
  const plain = [...transfer.files].filter((file) => !folders.some((folder) => folder.name === file.name));
  const files = [...plain, ...(await Promise.all(folders.map(filesIn))).flat()];
  if (!files.length) {
    const picture = pictureIn(link) ?? pictureIn(html) ?? pictureIn(text);
    if (picture) files.push(picture);
  }
  return { files, folders, link: link || (/^https?:\/\/\S+$/.test(text) ? text : ""), text };
}
