//! What the simulator's journal says about a delta import, and what the system says about this process.
//!
//! A host must treat a watermark as opaque. A demonstration may look inside, to prove that the links it holds are the
//! ones that were called.

use serde_json::Value;

use crate::simulator::{Exchange, Route};

/// Reasons to doubt that these exchanges are a delta import from this watermark; none when it is one.
pub(super) fn of_delta<'e>(watermark: &str, exchanges: impl Iterator<Item = &'e Exchange>) -> Vec<String> {
    let mut doubts = Vec::new();
    let links: Value = serde_json::from_str(watermark).unwrap_or_default();
    let exchanges: Vec<&Exchange> = exchanges.collect();
    for (key, route) in [("u", Route::USERS_DELTA), ("g", Route::GROUPS_DELTA)] {
        let feed: Vec<&&Exchange> = exchanges.iter().filter(|exchange| exchange.route == route).collect();
        let stored = links[key].as_str().map(path_of).unwrap_or_default();
        match feed.first() {
            None => doubts.push(format!("the feed {key} was not asked for changes")),
            Some(first) if first.url != stored => {
                doubts.push(format!("the feed {key} did not begin with the stored link"));
            }
            Some(_) => {}
        }
        if feed.iter().any(|exchange| !exchange.called_delta_link() && !exchange.called_next_link()) {
            doubts.push(format!("the feed {key} was begun anew"));
        }
    }
    let listed = exchanges.iter().filter(|exchange| exchange.route == Route::USERS_LIST).count();
    if listed > 0 {
        doubts.push(format!("users were listed with {listed} requests"));
    }
    doubts
}

/// Path and query of a link.
fn path_of(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    rest.find('/').map_or_else(String::new, |at| rest[at..].to_owned())
}

/// The most memory this process ever held, as the system counts it.
pub(super) fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map_or_else(|| "not told by this system".to_owned(), |number| format!("{} MiB", number / 1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const WATERMARK: &str = r#"{"u":"http://127.0.0.1:1/v1.0/users/delta?$deltatoken=a","g":"http://127.0.0.1:1/v1.0/groups/delta?$deltatoken=b"}"#;

    fn exchange(route: &str, url: &str) -> Exchange {
        let exchange = json!({"sequence": 1, "route": route, "method": "GET", "url": url, "status": 200, "headers": {},
            "responseHeaders": {}, "rows": 0, "units": 0, "feed": null, "items": [], "faulted": false, "body": null, "response": null});
        serde_json::from_value(exchange).unwrap()
    }

    #[test]
    fn stored_links_followed_by_next_links_leave_no_doubt() {
        let journal = [
            exchange("usersDelta", "/v1.0/users/delta?$deltatoken=a"),
            exchange("usersDelta", "/v1.0/users/delta?$skiptoken=x"),
            exchange("groupsDelta", "/v1.0/groups/delta?$deltatoken=b"),
        ];
        assert!(of_delta(WATERMARK, journal.iter()).is_empty());
    }

    #[test]
    fn everything_else_is_doubted() {
        let journal = [exchange("usersDelta", "/v1.0/users/delta?$select=id"), exchange("usersList", "/v1.0/users")];
        assert_eq!(of_delta(WATERMARK, journal.iter()).len(), 4);
    }
}
