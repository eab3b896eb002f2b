//! Links that lead, or may be read to lead, away from `http://127.0.0.1:home`. Where nothing else is said they lead to
//! a listener: without the check somebody would come.

/// A link and what is wrong with it.
pub(super) struct Trick {
    pub(super) name: &'static str,
    pub(super) link: String,
}

/// Every trick for one path, which begins with a slash.
pub(super) fn tricks(home: u16, other: u16, path: &str) -> Vec<Trick> {
    let mut all: Vec<Trick> = [
        ("another port", "http://127.0.0.1:{other}{path}"),
        ("another address", "http://127.0.0.2:{home}{path}"),
        ("a name for the same machine", "http://localhost:{home}{path}"),
        ("IPv6", "http://[::1]:{home}{path}"),
        ("https at home", "https://127.0.0.1:{home}{path}"),
        ("https elsewhere", "https://127.0.0.1:{other}{path}"),
        ("home as user and password", "http://127.0.0.1:{home}@127.0.0.1:{other}{path}"),
        ("home as user", "http://127.0.0.1%3A{home}@127.0.0.1:{other}{path}"),
        ("a user at home", "http://user@127.0.0.1:{home}{path}"),
        ("an encoded at sign", "http://127.0.0.1:{home}%40127.0.0.1:{other}{path}"),
        ("a backslash before an at sign", "http://127.0.0.1:{other}\\@127.0.0.1:{home}{path}"),
        ("backslashes for slashes", "http:\\\\127.0.0.1:{other}{path}"),
        ("a fragment before an at sign", "http://127.0.0.1:{other}#@127.0.0.1:{home}{path}"),
        ("a query before an at sign", "http://127.0.0.1:{other}?@127.0.0.1:{home}{path}"),
        ("no scheme", "//127.0.0.1:{other}{path}"),
        ("one slash", "http:/127.0.0.1:{other}{path}"),
        ("three slashes", "http:///127.0.0.1:{other}{path}"),
        ("a tab in the host", "http://127.0.0.1\t:{other}{path}"),
        ("a line break in the host", "http://127.0.0.1:{other}\r\n{path}"),
        ("a NUL in the host", "http://127.0.0.1\u{0}:{other}{path}"),
        ("a space in front", " http://127.0.0.1:{other}{path}"),
        ("a dot at the end of the host", "http://127.0.0.1.:{other}{path}"),
        ("an upper-case scheme", "HTTP://127.0.0.1:{other}{path}"),
        ("a percent-encoded host", "http://%31%32%37.0.0.1:{other}{path}"),
        ("IPv4 inside IPv6", "http://[::ffff:127.0.0.1]:{other}{path}"),
        ("a decimal address", "http://2130706433:{other}{path}"),
        ("a hexadecimal address", "http://0x7f.0.0.1:{other}{path}"),
        ("a short address", "http://127.1:{other}{path}"),
        ("every address", "http://0.0.0.0:{other}{path}"),
        ("full-width digits", "http://\u{ff11}27.0.0.1:{other}{path}"),
        // These lead home or nowhere, and are refused for what they look like.
        ("a dot at the end of home", "http://127.0.0.1.:{home}{path}"),
        ("home percent-encoded", "http://%31%32%37.0.0.1:{home}{path}"),
        ("home as a number", "http://2130706433:{home}{path}"),
        ("a port with a zero in front", "http://127.0.0.1:0{home}{path}"),
        ("port 0", "http://127.0.0.1:0{path}"),
        ("port 65536", "http://127.0.0.1:65536{path}"),
        ("no port", "http://127.0.0.1{path}"),
        ("a look-alike of Graph", "https://gr\u{430}ph.microsoft.com{path}"),
        ("another version", "http://127.0.0.1:{home}/beta{path}"),
        ("out of the version", "http://127.0.0.1:{home}/v1.0/../beta{path}"),
        ("a path alone", "{path}"),
        ("a file", "file://{path}"),
        ("nothing", ""),
    ]
    .into_iter()
    .map(|(name, text)| Trick { name, link: text.to_owned() })
    .collect();
    for trick in &mut all {
        trick.link = trick
            .link
            .replace("{home}", &home.to_string())
            .replace("{other}", &other.to_string())
            .replace("{path}", path);
    }
    all
}
