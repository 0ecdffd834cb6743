// Cuts a text that is too long. Two long texts with the same beginning must stay different: the names of Argo's and of
// Jobs' pods differ only at their ends.

const DIGEST_CHARACTERS = 8;
/** With less room than this, the text's beginning is more useful than a digest. */
const MARKED_MIN_CHARACTERS = 24;

/** Returns the text where it fits; else its beginning, a dash and a digest of the whole text, maxCharacters in all. */
export function shortened(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  if (maxCharacters < MARKED_MIN_CHARACTERS) return text.slice(0, maxCharacters);
  const digest = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  const mark = `-${digest.slice(0, DIGEST_CHARACTERS)}`;
  return `${text.slice(0, maxCharacters - mark.length)}${mark}`;
}
