//! The WebAssembly module as text, for the entries that carry it inside.

/// A JavaScript module whose default export is the bytes.
pub fn as_module(wasm: &[u8]) -> String {
    format!(
        "export default Uint8Array.from(atob('{}'), (letter) => letter.charCodeAt(0));\n",
        base64(wasm)
    )
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |value: u32| {
        LETTERS
            .get(value as usize & 63)
            .map_or('A', |&letter| char::from(letter))
    };
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let value = group
            .iter()
            .fold(0_u32, |value, &byte| (value << 8) | u32::from(byte))
            << (8 * (3 - group.len()));
        for place in 0..4_usize {
            text.push(if place <= group.len() {
                letter(value >> (18 - 6 * place))
            } else {
                '='
            });
        }
    }
    text
}
