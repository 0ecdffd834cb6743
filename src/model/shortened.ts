// A text that is too long for its place, cut. What two long texts begin alike with must not make them one: names of
// Argo's and of Jobs' pods differ at their ends only.

const DIGEST_CHARACTERS = 8;
/** Where there is room for less, the text's own beginning says more than the digest. */
const MARKED_MIN_CHARACTERS = 24;

/** The text, or its beginning, a dash and a digest of all of it: maxCharacters together. */
export function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  if (maxCharacters < MARKED_MIN_CHARACTERS) return text.slice(0, maxCharacters);
  const digest = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  const mark = `-${digest.slice(0, DIGEST_CHARACTERS)}`;
  return `${text.slice(0, maxCharacters - mark.length)}${mark}`;
}
