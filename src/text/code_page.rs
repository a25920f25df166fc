//! Windows code page identifiers, and the libraries that have their tables.

use encoding_rs::{EncoderResult, Encoding};
use oem_cp::code_table::{DECODING_TABLE_CP_MAP, ENCODING_TABLE_CP_MAP};
use oem_cp::encode_string_lossy;

/// Stands for bytes that mean nothing.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;
/// Stands for characters that the code page does not have.
const SUBSTITUTE: u8 = b'?';

/// A code page whose text can be read and written.
#[derive(Debug, Clone, Copy)]
pub struct CodePage(Table);

#[derive(Debug, Clone, Copy)]
enum Table {
    Ascii,
    /// Exactly the first 256 characters of Unicode, unlike `windows-1252`.
    Latin1,
    Utf16 {
        big_endian: bool,
    },
    Utf32 {
        big_endian: bool,
    },
    Web(&'static Encoding),
    /// By its number in `oem_cp`.
    Oem(u16),
}

impl CodePage {
    /// `None`: no library here has the table.
    pub fn by_number(number: u32) -> Option<Self> {
        use encoding_rs::*;
        let web = match number {
            866 => IBM866,
            874 => WINDOWS_874,
            932 => SHIFT_JIS,
            936 | 20936 | 51936 => GBK,
            949 | 51949 => EUC_KR,
            950 => BIG5,
            1250 => WINDOWS_1250,
            1251 => WINDOWS_1251,
            1252 => WINDOWS_1252,
            1253 => WINDOWS_1253,
            1254 | 28599 => WINDOWS_1254,
            1255 => WINDOWS_1255,
            1256 => WINDOWS_1256,
            1257 => WINDOWS_1257,
            1258 => WINDOWS_1258,
            10000 => MACINTOSH,
            10007 | 10017 => X_MAC_CYRILLIC,
            20866 => KOI8_R,
            20932 | 51932 => EUC_JP,
            21866 => KOI8_U,
            28592 => ISO_8859_2,
            28593 => ISO_8859_3,
            28594 => ISO_8859_4,
            28595 => ISO_8859_5,
            28596 => ISO_8859_6,
            28597 => ISO_8859_7,
            28598 => ISO_8859_8,
            28605 => ISO_8859_15,
            38598 => ISO_8859_8_I,
            50220..=50222 => ISO_2022_JP,
            54936 => GB18030,
            65001 => UTF_8,
            _ => return Table::without_web(number).map(CodePage),
        };
        Some(CodePage(Table::Web(web)))
    }

    /// Bytes that mean nothing become U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> String {
        match self.0 {
            Table::Ascii => bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { REPLACEMENT }).collect(),
            Table::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
            Table::Utf16 { big_endian } => {
                let units = bytes.chunks(2).map(|pair| match *pair {
                    [a, b] if big_endian => u16::from_be_bytes([a, b]),
                    [a, b] => u16::from_le_bytes([a, b]),
                    // Half a unit at the end.
                    _ => REPLACEMENT as u16,
                });
                char::decode_utf16(units).map(|c| c.unwrap_or(REPLACEMENT)).collect()
            }
            Table::Utf32 { big_endian } => bytes
                .chunks(4)
                .map(|four| {
                    let number = four.try_into().ok().map(|four: [u8; 4]| match big_endian {
                        true => u32::from_be_bytes(four),
                        false => u32::from_le_bytes(four),
                    });
                    number.and_then(char::from_u32).unwrap_or(REPLACEMENT)
                })
                .collect(),
            Table::Web(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Table::Oem(number) => match DECODING_TABLE_CP_MAP.get(&number) {
                Some(table) => table.decode_string_lossy(bytes),
                None => String::new(),
            },
        }
    }

    /// Characters that the code page does not have become `?`.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self.0 {
            Table::Ascii => text.chars().map(|c| if c.is_ascii() { c as u8 } else { SUBSTITUTE }).collect(),
            Table::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(SUBSTITUTE)).collect(),
            Table::Utf16 { big_endian: true } => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Table::Utf16 { big_endian: false } => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Table::Utf32 { big_endian: true } => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
            Table::Utf32 { big_endian: false } => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            Table::Web(encoding) => encode_web(encoding, text),
            Table::Oem(number) => match ENCODING_TABLE_CP_MAP.get(&number) {
                Some(table) => encode_string_lossy(text, table),
                None => Vec::new(),
            },
        }
    }
}

impl Table {
    fn without_web(number: u32) -> Option<Self> {
        Some(match number {
            1200 => Table::Utf16 { big_endian: false },
            1201 => Table::Utf16 { big_endian: true },
            12000 => Table::Utf32 { big_endian: false },
            12001 => Table::Utf32 { big_endian: true },
            20105 | 20127 => Table::Ascii,
            28591 => Table::Latin1,
            _ => {
                let number = u16::try_from(number).ok()?;
                let known = DECODING_TABLE_CP_MAP.contains_key(&number) && ENCODING_TABLE_CP_MAP.contains_key(&number);
                return known.then_some(Table::Oem(number));
            }
        })
    }
}

fn encode_web(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let mut encoder = encoding.new_encoder();
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(rest.len());
        out.reserve(room.max(16));
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return out,
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(_) => {
                // ISO-2022-JP may have to go back to ASCII first: the encoder writes the sign as it writes text.
                let (_, _) = encoder.encode_from_utf8_to_vec_without_replacement("?", &mut out, false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u32) -> CodePage {
        CodePage::by_number(number).unwrap()
    }

    #[test]
    fn text_goes_there_and_back() {
        let cases: [(u32, &str, &[u8]); 17] = [
            (65001, "Grüße €", b"Gr\xc3\xbc\xc3\x9fe \xe2\x82\xac"),
            (1252, "é€", b"\xe9\x80"),
            (28591, "\u{80}é", b"\x80\xe9"),
            (28605, "€", b"\xa4"),
            (1200, "a€😀", b"a\0\xac\x20\x3d\xd8\x00\xde"),
            (1201, "a€", b"\0a\x20\xac"),
            (12000, "😀", b"\x00\xf6\x01\x00"),
            (12001, "😀", b"\x00\x01\xf6\x00"),
            (437, "é½", b"\x82\xab"),
            (850, "ø", b"\x9b"),
            (866, "Да", b"\x84\xa0"),
            (932, "日本", b"\x93\xfa\x96\x7b"),
            (936, "中文", b"\xd6\xd0\xce\xc4"),
            (949, "한", b"\xc7\xd1"),
            (950, "中", b"\xa4\xa4"),
            (20866, "да", b"\xc4\xc1"),
            (50220, "日a", b"\x1b$BF|\x1b(Ba"),
        ];
        for (number, text, bytes) in cases {
            assert_eq!(page(number).encode(text), bytes, "{number}");
            assert_eq!(page(number).decode(bytes), text, "{number}");
        }
    }

    #[test]
    fn what_a_code_page_lacks_is_replaced() {
        assert_eq!(page(1252).encode("a日b"), b"a?b");
        assert_eq!(page(20127).encode("aé"), b"a?");
        assert_eq!(page(437).encode("a日"), b"a?");
        assert_eq!(page(50220).encode("日😀日"), b"\x1b$BF|\x1b(B?\x1b$BF|\x1b(B");
        assert_eq!(page(65001).decode(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(page(20127).decode(b"a\xe9"), "a\u{fffd}");
        assert_eq!(page(1200).decode(b"a\0\x00\xd8z"), "a\u{fffd}\u{fffd}");
        assert_eq!(page(12000).decode(b"\0\0\0\x7fx"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn others_are_unknown() {
        for number in [0, 1, 37, 500, 708, 1361, 10001, 50229, 57002, 65000, 0x9000_0100] {
            assert!(CodePage::by_number(number).is_none(), "{number}");
        }
    }
}
