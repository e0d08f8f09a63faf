//! The WebAssembly module as text, for the entries that carry it inside.
//!
//! Base64 makes a file that compresses badly: three bytes become four letters, so what repeats in the module no longer repeats in
//! the text; after brotli that costs a quarter. Here a byte is always the same one or two characters, and most printable bytes are
//! themselves, so that the text compresses as well as the module would. All of it is ASCII, because a classic script is read in whatever
//! encoding its page has, and without `<`, so that it may stand in a page's own `<script>`.

/// The characters `~` and `}` begin a pair.
const PREFIXES: [u8; 2] = [b'}', b'~'];

/// A JavaScript module whose default export is the bytes.
pub fn as_module(wasm: &[u8]) -> String {
    let code = Code::for_bytes(wasm);
    format!(
        "{DECODER}export default decode(\"{}\", \"{}\");\n",
        code.table(),
        wasm.iter()
            .map(|&byte| code.text_of(byte))
            .collect::<String>()
    )
}

/// The mirror of [`Code`]: `table` has two hexadecimal digits for each single character, the byte that it stands for.
const DECODER: &str = r#"
function decode(table, text) {
    const singles = [], meaning = [], bytes = [];
    for (let code = 32; code < 125; code++) if (!'"<\\'.includes(String.fromCharCode(code))) singles.push(code);
    singles.forEach((code, i) => (meaning[code] = parseInt(table.slice(2 * i, 2 * i + 2), 16)));
    const known = new Set(meaning);
    let pair = 0;
    for (let byte = 0; byte < 256; byte++) {
        if (!known.has(byte)) meaning[(125 + Math.floor(pair / singles.length)) * 128 + singles[pair++ % singles.length]] = byte;
    }
    for (let i = 0; i < text.length; ) {
        const code = text.charCodeAt(i++);
        bytes.push(meaning[code < 125 ? code : code * 128 + text.charCodeAt(i++)]);
    }
    return new Uint8Array(bytes);
}
"#;

/// Which characters stand for which byte: one character for the frequent bytes, two for the others.
struct Code {
    /// Which byte each single character stands for, in the order of the characters.
    singles: Vec<(u8, u8)>,
    /// The bytes that take two characters, in ascending order.
    pairs: Vec<u8>,
}

/// Those that stand for a byte alone: printable, and nothing that ends a string or a script.
fn characters() -> impl Iterator<Item = u8> {
    (b' '..b'}').filter(|character| !b"\"<\\".contains(character))
}

impl Code {
    fn for_bytes(bytes: &[u8]) -> Self {
        let mut by_frequency: Vec<(usize, u8)> = (0..=u8::MAX)
            .map(|byte| (bytes.iter().filter(|&&found| found == byte).count(), byte))
            .collect();
        by_frequency.sort_by_key(|&(count, byte)| (std::cmp::Reverse(count), byte));
        let mut frequent: Vec<u8> = by_frequency
            .iter()
            .take(characters().count())
            .map(|&(_, byte)| byte)
            .collect();
        frequent.sort_unstable();

        // A frequent byte that is such a character stands for itself; the others take what is left, in order.
        let mut others = frequent
            .iter()
            .copied()
            .filter(|byte| !characters().any(|character| character == *byte));
        let singles = characters()
            .filter_map(|character| {
                let byte = if frequent.contains(&character) {
                    Some(character)
                } else {
                    others.next()
                };
                Some((character, byte?))
            })
            .collect();
        let pairs = (0..=u8::MAX)
            .filter(|byte| !frequent.contains(byte))
            .collect();
        Code { singles, pairs }
    }

    fn table(&self) -> String {
        self.singles
            .iter()
            .map(|(_, byte)| format!("{byte:02x}"))
            .collect()
    }

    fn text_of(&self, byte: u8) -> String {
        if let Some((character, _)) = self.singles.iter().find(|(_, single)| *single == byte) {
            return char::from(*character).to_string();
        }
        let place = self.pairs.iter().take_while(|&&pair| pair != byte).count();
        let (prefix, second) = (place / self.singles.len(), place % self.singles.len());
        [
            PREFIXES.get(prefix),
            self.singles.get(second).map(|(character, _)| character),
        ]
        .into_iter()
        .flatten()
        .map(|&character| char::from(character))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_byte_has_its_own_text() {
        let code = Code::for_bytes(b"\0\0\0asm    hello");
        let texts: BTreeSet<String> = (0..=u8::MAX).map(|byte| code.text_of(byte)).collect();
        assert_eq!(texts.len(), 256);
        assert_eq!(code.text_of(b'a'), "a");
        assert_eq!(code.text_of(0).len(), 1);
        assert!(
            texts
                .iter()
                .all(|text| text.len() <= 2 && !text.contains(['"', '<', '\\']))
        );
        // What begins a pair is never a character of its own.
        assert!(
            texts
                .iter()
                .all(|text| (text.len() == 2) == text.starts_with(['}', '~']))
        );
    }
}
