//! Which page of its walk a request asks for, as far as requests alone tell.
//!
//! Counted, not read out of the token: a page may repeat rows or be empty, and its number says nothing to Graph. A walk
//! begins with a first call or a delta link; a repeat of the same URL is the same page. Two walks of one route at once,
//! or one that goes on from a stored page, would be miscounted.

use std::collections::HashMap;

use super::Call;
use super::aim::Subject;
use crate::simulator::route::Route;

/// The walks under way: for each route and object, its pages by their URLs. Whoever asks ahead repeats a page that is
/// not the last.
#[derive(Debug, Default)]
pub(super) struct Walks(HashMap<(Route, Option<String>), HashMap<String, u32>>);

impl Walks {
    /// Takes note of a request and answers its page.
    pub(super) fn page(&mut self, asked: &Subject<'_>) -> u32 {
        let walk = self.0.entry((asked.route, asked.object.map(str::to_lowercase))).or_default();
        if asked.call() != Call::NextLink {
            walk.clear();
        }
        // A walk that goes on from a stored page had a first page too.
        let next = walk.len().max(usize::from(asked.call() == Call::NextLink)) as u32 + 1;
        *walk.entry(asked.url.to_owned()).or_insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_from_the_first_call_and_repeats_are_the_same_page() {
        let mut walks = Walks::default();
        let mut page = |url: &str, object: Option<&str>| {
            walks.page(&Subject { route: Route::MEMBERS, url, object, in_batch: false })
        };
        let (first, second, third) = ("/m?$top=5", "/m?$skiptoken=a", "/m?$skiptoken=b");
        assert_eq!([first, second, second, third, second].map(|url| page(url, Some("X"))), [1, 2, 2, 3, 2]);
        assert_eq!([first, third].map(|url| page(url, Some("y"))), [1, 2], "another object is another walk");
        assert_eq!([third, first, third].map(|url| page(url, Some("x"))), [3, 1, 2]);
        assert_eq!(page("/m?$deltatoken=c", None), 1);
    }
}
