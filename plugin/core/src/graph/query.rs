//! Showing a link without giving anything away.

/// Characters of a token that are shown: enough to tell two lines of a log apart.
const TOKEN_SHOWN: usize = 6;

/// Path and option names as shown at most.
const SHOWN: usize = 200;

/// A link for logs and errors: path and names of the options, a token cut short, no origin and no other value.
///
/// ```
/// let link = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=abcdefghijklmnop";
/// let shown = entra_id_core::graph::short(link);
/// assert!(shown.contains("/users/delta") && !shown.contains("abcdefghijklmnop"));
/// ```
pub fn short(link: &str) -> String {
    let path_and_query = match link.find("://") {
        Some(at) => link[at + 3..].find('/').map_or("/", |slash| &link[at + 3 + slash..]),
        None => link,
    };
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let mut shown = path.strip_prefix("/v1.0").unwrap_or(path).to_owned();
    for (place, option) in query.split('&').filter(|option| !option.is_empty()).enumerate() {
        shown.push(if place == 0 { '?' } else { '&' });
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        shown.push_str(&name.replace("%24", "$"));
        if name.to_ascii_lowercase().ends_with("token") {
            let start: String = value.chars().take(TOKEN_SHOWN).collect();
            shown.push('=');
            shown.push_str(&start);
            if start.len() < value.len() {
                shown.push('…');
            }
        }
    }
    printable(&shown, SHOWN)
}

/// Foreign text for one line of a log: no control characters, and not longer than `max`.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let mut shown: String = text.chars().take(max).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(max).is_some() {
        shown.push('…');
    }
    shown
}

/// The value of a query option, named without its `$`; Graph spells it `$`, `%24` and in any case.
pub(crate) fn option<'a>(link: &'a str, wanted: &str) -> Option<&'a str> {
    let (_, query) = link.split_once('?')?;
    query.split('&').find_map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = name.strip_prefix("%24").or_else(|| name.strip_prefix('$')).unwrap_or(name);
        name.eq_ignore_ascii_case(wanted).then_some(value)
    })
}

/// Whether a query option of that name is there.
pub(crate) fn has_option(link: &str, name: &str) -> bool {
    self::option(link, name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_link_has_path_and_names_but_no_values() {
        assert_eq!(
            short("https://graph.microsoft.com/v1.0/groups?$filter=displayName%20eq%20'payroll'&$top=999&$count=true"),
            "/groups?$filter&$top&$count"
        );
        assert_eq!(short("/users/delta?$select=id"), "/users/delta?$select");
        assert_eq!(short("https://graph.microsoft.com"), "/");
    }

    #[test]
    fn a_token_is_cut_short_however_it_is_spelt() {
        assert_eq!(short("https://g/v1.0/users/delta?$deltatoken=oEcOySpF_hWY"), "/users/delta?$deltatoken=oEcOyS…");
        assert_eq!(short("https://g/v1.0/users/delta?%24skipToken=oEcOySpF_hWY"), "/users/delta?$skipToken=oEcOyS…");
        assert_eq!(short("https://g/v1.0/users/delta?$deltaToken=latest"), "/users/delta?$deltaToken=latest");
    }

    #[test]
    fn what_is_shown_is_one_line_of_bounded_length() {
        let shown = short(&format!("https://g/v1.0/a\nb{}", "x".repeat(1000)));
        assert!(shown.starts_with("/a b") && shown.chars().count() == SHOWN + 1);
    }

    #[test]
    fn a_token_is_found_whatever_its_case() {
        assert_eq!(option("https://g/v1.0/users/delta?$DeltaToken=a=b", "deltatoken"), Some("a=b"));
        assert_eq!(option("https://g/v1.0/users/delta?x=1&%24deltatoken=ab", "deltatoken"), Some("ab"));
        assert_eq!(option("https://g/v1.0/users/delta?$skiptoken=deltatoken", "deltatoken"), None);
        assert_eq!(option("https://g/v1.0/users", "deltatoken"), None);
    }
}
