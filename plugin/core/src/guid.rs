//! GUIDs as texts: 8-4-4-4-12 hexadecimal digits, in either case.

/// Bytes of a GUID without braces.
pub const GUID_LENGTH: usize = 36;

/// Whether the text is a GUID, without braces.
pub fn is_guid(text: &str) -> bool {
    text.len() == GUID_LENGTH && starts_with_guid(text)
}

/// Whether the text begins with a GUID, without braces.
pub fn starts_with_guid(text: &str) -> bool {
    text.as_bytes().get(..GUID_LENGTH).is_some_and(|start| {
        start.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

/// The GUID in lower case and without braces, which portals, PowerShell and registries do or do not write.
pub fn guid(text: &str) -> Option<String> {
    let bare = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    is_guid(bare).then(|| bare.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "4bd7ad6b-67ff-428c-9cfb-bafe513f66d6";

    #[test]
    fn guid_in_either_case_and_with_both_braces_or_none_is_one() {
        let braced = format!("{{{}}}", GUID.to_uppercase());
        assert_eq!((guid(GUID).as_deref(), guid(&braced).as_deref()), (Some(GUID), Some(GUID)));
        assert!(is_guid(GUID) && !is_guid(&braced) && starts_with_guid(&format!("{GUID}x")));
    }

    #[test]
    fn anything_else_is_none() {
        let texts = [
            "",
            "{",
            &GUID[1..],
            &format!("{{{GUID}"),
            &format!("{GUID}}}"),
            &GUID.replace('-', "0"),
            &GUID.replace('4', "g"),
        ];
        assert!(texts.iter().all(|text| guid(text).is_none()));
        assert!(!starts_with_guid("ä"));
    }
}
