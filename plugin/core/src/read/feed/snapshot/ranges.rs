//! Ranges of names: what is asked to find them, and where they are cut.
//!
//! A cut is at the name of an object that exists, found by one small request: the last name before a guess, and how
//! many come before it. Both parts include it. A cut between two names would lose objects that Graph sorts by other
//! rules, and a guess that is trusted would leave one range with all names that begin alike.

use std::collections::BTreeMap;
use std::ops::Range as Span;
use std::sync::{Mutex, PoisonError};

use super::between::between;
use super::{Failure, Listed};
use crate::config::Config;
use crate::graph::{self, Get, Graph, query_value};
use crate::model::{Page, RowSeed};
use crate::sync::unreadable;
use crate::threads::{joined, named};

/// Pages of a range that is not worth cutting.
const PAGES: u64 = 3;

/// Guesses sent in one round trip, at most. One round trip then splits a range into sixteen parts.
const AT_ONCE: usize = 15;

/// Rounds of guesses for one cut.
const ROUNDS: usize = 12;

/// The size below which a range is listed instead of split, given the total and the number of objects still missing.
pub(super) fn enough(objects: u64, left: u64, config: &Config) -> u64 {
    let threads = (config.max_concurrency as u64).max(1);
    // Large enough that splitting costs little, and small enough that no thread is left with a long list at the end.
    let (share, rest) = (objects / threads, left / threads);
    (share * 2 / 3).min(rest * 3 / 2).max(u64::from(config.page_size) * PAGES).max(1)
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    /// From this name on; `None`: from the first.
    pub(super) low: Option<String>,
    /// Up to and with this name; `None`: to the last.
    pub(super) high: Option<String>,
    /// How many objects, about.
    pub(super) count: u64,
    /// Names of its first and last object.
    first: String,
    last: String,
}

impl Range {
    /// The query option that asks for it, and its separator; nothing where the range is everything.
    pub(super) fn filter(&self, name: &str) -> String {
        filter(name, self.low.as_deref(), self.high.as_deref())
    }
}

fn filter(name: &str, low: Option<&str>, high: Option<&str>) -> String {
    let bound = |operator, bound: &str| format!("{name} {operator} '{}'", bound.replace('\'', "''"));
    let bounds = [low.map(|low| bound("ge", low)), high.map(|high| bound("le", high))];
    let bounds: Vec<_> = bounds.into_iter().flatten().collect();
    if bounds.is_empty() { String::new() } else { format!("$filter={}&", query_value(&bounds.join(" and "))) }
}

/// Asks Graph about names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) graph: &'a Graph,
    pub(super) listed: Listed,
}

/// What a range holds, and the name at its end.
type End = Option<(u64, String)>;

impl Names<'_> {
    /// Everything; `None` where nothing is there or Graph does not count it.
    pub(super) fn whole(&self) -> Result<Option<Range>, Failure> {
        let mut ends = side_by_side(&[false, true], |last| Ok(self.end(None, None, *last)?))?.into_iter().flatten();
        let whole = |((count, first), (_, last))| Range { low: None, high: None, count, first, last };
        Ok(ends.next().zip(ends.next()).map(whole))
    }

    /// Parts that are the range, touching at names, of `enough` objects each or to be cut again; the range itself where
    /// it cannot be cut.
    pub(super) fn cut(&self, range: &Range, enough: u64) -> Result<Vec<Range>, Failure> {
        cut(range, enough, |guesses, side| {
            let ask = |guess: &String| match side {
                Side::Before => self.end(range.low.as_deref(), Some(guess), true),
                Side::Behind => self.end(Some(guess), range.high.as_deref(), false),
            };
            side_by_side(guesses, |guess| ask(guess).map_err(Failure::from))
        })
    }

    /// How many objects there are between two names, and the first or last name among them.
    fn end(&self, low: Option<&str>, high: Option<&str>, last: bool) -> Result<End, graph::Error> {
        let Listed { path, name } = self.listed;
        let order = if last { "%20desc" } else { "" };
        let query =
            format!("{path}?{}$select={name}&$orderby={name}{order}&$top=1&$count=true", filter(name, low, high));
        self.graph.get(&Get { link: self.graph.link(&query), advanced: true }, |answer| {
            let properties = [name.to_owned()];
            let found = Page::read(answer.body, RowSeed { properties: &properties }).map_err(unreadable)?;
            let end = found.rows.first().and_then(|row| serde_json::from_str::<String>(row.values[0]?.get()).ok());
            Ok(found.count.zip(end))
        })
    }
}

/// Asks about each at the same time, the first on this thread; answers in their order.
fn side_by_side<T: Sync, R: Send>(
    asked: &[T],
    ask: impl Fn(&T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let Some((first, others)) = asked.split_first() else { return Ok(Vec::new()) };
    let answers: Vec<_> = others.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|threads| {
        let answer = |one: &T, slot: &Mutex<Option<Result<R, Failure>>>| {
            let answered = ask(one);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
        };
        let each = || others.iter().zip(&answers);
        let started: Vec<_> = each()
            .map(|(one, slot)| {
                named(threads, "entra-cut", move || {
                    answer(one, slot);
                    Ok(())
                })
            })
            .collect();
        let mut all = vec![ask(first)?];
        for ((one, slot), thread) in each().zip(started) {
            match thread {
                Ok(_) => joined(thread)?,
                // Where there is no thread, it takes a round trip more.
                Err(_) => answer(one, slot),
            }
            all.extend(slot.lock().unwrap_or_else(PoisonError::into_inner).take().transpose()?);
        }
        Ok(all)
    })
}

/// Which side of a guess is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// How many come up to it, and the last of their names.
    Before,
    /// The first name from it on.
    Behind,
}

/// Cuts at names that are found before guesses, and guesses anew as long as one part holds nearly everything.
fn cut<E>(
    range: &Range,
    enough: u64,
    mut ask: impl FnMut(&[String], Side) -> Result<Vec<End>, E>,
) -> Result<Vec<Range>, E> {
    // Twice as many as parts are wanted: a guess costs a request, and another round of them costs its time as well.
    let most = usize::try_from(2 * range.count / enough.max(1)).unwrap_or(AT_ONCE).clamp(1, AT_ONCE);
    let (mut low, mut high) = (range.first.clone(), range.last.clone());
    // How many come up to a name, that name, and the guess behind it.
    let mut known: BTreeMap<u64, (String, String)> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let guesses = guesses(&low, &high, most);
        if guesses.is_empty() {
            break;
        }
        let mut behind_nobody = None;
        for (guess, end) in guesses.iter().zip(ask(&guesses, Side::Before)?) {
            match end {
                Some((before, name)) => _ = known.insert(before, (name, guess.clone())),
                None => behind_nobody = Some(guess.clone()),
            }
        }
        let crowd = widest(&known, range.count);
        if (crowd.end - crowd.start) * 4 <= range.count * 3 {
            break;
        }
        if let Some((name, _)) = known.get(&crowd.end) {
            high.clone_from(name);
        }
        // Whoever comes next shows where the crowd begins, which guesses alone would only creep up to.
        if let Some(guess) = known.get(&crowd.start).map(|(_, guess)| guess.clone()).or(behind_nobody) {
            let next = ask(std::slice::from_ref(&guess), Side::Behind)?.into_iter().next().flatten();
            low = next.map(|(_, name)| name).filter(|name| *name > guess && *name < high).unwrap_or(guess);
        }
    }
    // With less than two before it, the part behind would be the whole again.
    known.retain(|before, (name, _)| *before > 1 && *name != range.last);
    Ok(parts(range, enough, known.into_iter().map(|(before, (name, _))| (before, name)).collect()))
}

/// Texts between two, about evenly apart: one, three, seven or fifteen of them.
fn guesses(low: &str, high: &str, most: usize) -> Vec<String> {
    let mut between_all = Vec::new();
    while between_all.len() * 2 < most.max(1) {
        let bounds = || std::iter::once(low).chain(between_all.iter().map(String::as_str)).chain([high]);
        let finer: Vec<String> = bounds()
            .zip(bounds().skip(1))
            .flat_map(|(from, to)| between(from, to).into_iter().chain((to != high).then(|| to.to_owned())))
            .collect();
        if finer.len() == between_all.len() {
            break;
        }
        between_all = finer;
    }
    between_all
}

/// Between which two of the counts most objects lie.
fn widest<T>(known: &BTreeMap<u64, T>, count: u64) -> Span<u64> {
    let ends = known.keys().copied().filter(|before| *before < count).chain([count]);
    let starts = std::iter::once(0).chain(known.keys().copied());
    starts.zip(ends).map(|(start, end)| start..end).max_by_key(|span| span.end - span.start).unwrap_or(0..count)
}

/// The range in parts as large as may be.
fn parts(range: &Range, enough: u64, cuts: Vec<(u64, String)>) -> Vec<Range> {
    let nexts: Vec<_> = cuts.iter().skip(1).map(|(before, _)| *before).chain([range.count]).collect();
    let (mut parts, mut rest, mut gone) = (Vec::new(), range.clone(), 0);
    for ((before, name), next) in cuts.into_iter().zip(nexts) {
        if next.saturating_sub(gone) > enough {
            let part = Range { high: Some(name.clone()), count: before - gone, last: name.clone(), ..rest.clone() };
            // Whoever stands at the cut is in both.
            rest =
                Range { low: Some(name.clone()), count: range.count.saturating_sub(before) + 1, first: name, ..rest };
            parts.push(part);
            gone = before;
        }
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts until nothing is left to cut; answers the ranges and the requests it took.
    fn cut_up(names: &[String], enough: u64) -> (Vec<Range>, usize) {
        let whole = Range {
            low: None,
            high: None,
            count: names.len() as u64,
            first: names[0].clone(),
            last: names[names.len() - 1].clone(),
        };
        let (mut done, mut open, mut asked) = (Vec::new(), vec![whole], 0);
        while let Some(range) = open.pop() {
            if range.count <= enough {
                done.push(range);
                continue;
            }
            let (low, high) = (range.low.clone().unwrap_or_default(), range.high.clone());
            let inside = || names.iter().filter(|name| **name >= low && high.as_ref().is_none_or(|high| *name <= high));
            let answer = |guess: &String, side| match side {
                Side::Before => {
                    let before: Vec<_> = inside().filter(|name| *name <= guess).collect();
                    before.last().map(|last| (before.len() as u64, (*last).clone()))
                }
                Side::Behind => inside().find(|name| *name >= guess).map(|first| (1, first.clone())),
            };
            let parts = cut(&range, enough, |guesses, side| -> Result<Vec<End>, ()> {
                asked += guesses.len();
                assert!(asked < 10_000, "a range is cut for ever");
                Ok(guesses.iter().map(|guess| answer(guess, side)).collect())
            });
            match parts.unwrap() {
                parts if parts.len() > 1 => open.extend(parts.into_iter().rev()),
                _ => done.push(range),
            }
        }
        (done, asked)
    }

    fn largest(ranges: &[Range]) -> u64 {
        ranges.iter().map(|range| range.count).max().unwrap_or_default()
    }

    #[test]
    fn names_that_begin_alike_are_cut_evenly_by_few_requests() {
        let names: Vec<_> = (0..6_000).map(|n| format!("user{n:06}@contoso.com")).collect();
        let (ranges, asked) = cut_up(&names, 300);
        assert!(largest(&ranges) <= 300 && ranges.len() < 60, "{} of {}", ranges.len(), largest(&ranges));
        assert!(asked < ranges.len() * 6, "{asked} requests for {} ranges", ranges.len());
    }

    #[test]
    fn a_crowd_in_one_corner_is_found_by_few_requests() {
        for crowd in ["aaa-backup", "svc-backup", "zzz-backup"] {
            let mut names: Vec<_> = (0..4_000).map(|n| format!("{crowd}-{n:05}@contoso.com")).collect();
            names.extend(('a'..='z').map(|c| format!("{c}@contoso.com")));
            names.sort();
            let (ranges, asked) = cut_up(&names, 500);
            assert!(largest(&ranges) <= 500 && asked < 80, "{crowd}: {asked} requests, {}", largest(&ranges));
        }
    }

    #[test]
    fn a_guess_before_everybody_is_followed_by_a_better_one() {
        let range = Range { low: None, high: None, count: 900, first: "a".to_owned(), last: "z900".to_owned() };
        let mut asked = Vec::new();
        // Nobody is called anything before z.
        let parts = cut(&range, 300, |guesses, side| -> Result<Vec<End>, ()> {
            asked.extend(guesses.to_vec());
            let up_to =
                |guess: &String| guess.strip_prefix('z').map(|n| n.chars().chain("00".chars()).take(3).collect());
            let number = |guess: &String| up_to(guess).and_then(|n: String| n.parse::<u64>().ok());
            Ok(guesses
                .iter()
                .map(|guess| match (number(guess), side) {
                    (Some(n), Side::Before) => Some((n, format!("z{n:03}"))),
                    (n, Side::Behind) => Some((1, format!("z{:03}", n.unwrap_or(0) + 1))),
                    (None, Side::Before) => None,
                })
                .collect())
        });
        assert!(parts.unwrap().len() > 1, "{asked:?}");
    }

    #[test]
    fn objects_of_one_name_stay_in_one_range() {
        let mut names = vec!["team".to_owned(); 5000];
        names.insert(0, "alpha".to_owned());
        names.push("zulu".to_owned());
        let (ranges, _) = cut_up(&names, 1000);
        assert!(ranges.iter().any(|range| range.count >= 5000), "{ranges:?}");
    }

    #[test]
    fn neighbouring_ranges_touch_and_the_outer_ones_are_open() {
        let names: Vec<_> = (0..5_000).map(|n| format!("u{n:05}")).collect();
        let (ranges, _) = cut_up(&names, 500);
        let mut by_low = ranges.clone();
        by_low.sort_by(|a, b| a.low.cmp(&b.low));
        assert!(by_low[0].low.is_none() && by_low[by_low.len() - 1].high.is_none());
        assert!(by_low.windows(2).all(|two| two[0].high == two[1].low), "{by_low:?}");
    }

    #[test]
    fn a_quote_in_a_name_is_doubled() {
        assert_eq!(filter("displayName", Some("O'Neil"), None), "$filter=displayName%20ge%20'O''Neil'&");
        assert_eq!(filter("displayName", None, None), "");
    }
}
