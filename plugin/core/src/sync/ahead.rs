//! The page after this one, asked for while this one is read and delivered.
//!
//! A feed is serial: each page's link comes with the page before it, so a walk waits a round trip for each page, and
//! whoever maps and delivers in between adds that time to it. Here one request, never more, is on its way meanwhile, on
//! a thread of its own. It decides nothing: it is the first try of the very request that the walk makes next, and if it
//! failed, or was not even sent, the walk goes on from there as if it had made that try itself.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use crate::error::Error;
use crate::graph::{Begun, Get, Graph, Link};
use crate::threads::{Started, joined, named};

/// Asks for one page ahead of a walk.
pub(crate) struct Ahead<'s, 'e> {
    scope: &'s Scope<'s, 'e>,
    graph: &'e Graph,
    lane: Option<Lane<'s>>,
    /// What the lane was asked for and has not been asked back.
    asked: Option<Link>,
}

struct Lane<'s> {
    ask: SyncSender<Get>,
    begun: Receiver<Option<Begun>>,
    thread: Started<'s>,
}

impl<'s, 'e> Ahead<'s, 'e> {
    /// The thread starts with the first page that is asked for.
    pub(crate) fn new(scope: &'s Scope<'s, 'e>, graph: &'e Graph) -> Ahead<'s, 'e> {
        Ahead { scope, graph, lane: None, asked: None }
    }

    /// Asks for a page, unless one is asked for already: the answer to a repeated request may name another.
    pub(crate) fn ask(&mut self, page: Get) {
        if self.asked.is_some() {
            return;
        }
        let link = page.link.clone();
        let (scope, graph) = (self.scope, self.graph);
        let lane = self.lane.get_or_insert_with(|| Lane::start(scope, graph));
        // Where there is no thread there is nothing ahead, and the walk asks for itself.
        self.asked = lane.ask.send(page).is_ok().then_some(link);
    }

    /// The request for this page, if it was made; waits for its answer.
    pub(crate) fn begun(&mut self, link: &Link) -> Option<Begun> {
        let asked = self.asked.take()?;
        let begun = self.lane.as_ref()?.begun.recv().ok()??;
        (asked == *link).then_some(begun)
    }

    /// Waits for the thread. What is still on its way is of no use to anybody, and is not repeated.
    pub(crate) fn end(self) -> Result<(), Error> {
        match self.lane {
            Some(Lane { ask, begun, thread }) => {
                drop((ask, begun));
                joined(thread)
            }
            None => Ok(()),
        }
    }
}

impl<'s> Lane<'s> {
    fn start<'e>(scope: &'s Scope<'s, 'e>, graph: &'e Graph) -> Lane<'s> {
        let (ask, asked) = sync_channel::<Get>(1);
        let (answer, begun) = sync_channel(1);
        let thread = named(scope, "entra-ahead", move || {
            while let Ok(page) = asked.recv() {
                if answer.send(graph.begin(&page)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        Lane { ask, begun, thread }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::{Duration, Instant};

    use serde_json::json;

    use crate::cancel::Cancel;
    use crate::config::{Auth, Secret};
    use crate::counters::Counters;
    use crate::error::{Error, Kind};
    use crate::graph::{Broken, Connection, Graph, Outgoing, Reply, Transport, reply};
    use crate::log::{Level, Log};
    use crate::model::{Member, Page};
    use crate::sync::{Expect, WalkError, WalkStart, unreadable, walk_pages};

    /// Long enough for any machine; only a failing test waits it out.
    const HANG: Duration = Duration::from_secs(60);

    /// Answers by the last word of the link, first come first served; the last answer stays.
    #[derive(Debug)]
    struct Wire {
        answers: Mutex<HashMap<&'static str, Vec<Reply>>>,
        asked: Mutex<Sender<String>>,
    }

    impl Transport for Wire {
        fn send(&self, outgoing: Outgoing<'_>, _: &Cancel) -> Result<Reply, Broken> {
            let page = outgoing.url.rsplit('=').next().unwrap_or_default().to_owned();
            if outgoing.url.ends_with("/token") {
                let token = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "t"});
                return Ok(reply(200, &[], &token.to_string()));
            }
            let mut answers = self.answers.lock().unwrap();
            let left = answers.get_mut(page.as_str()).unwrap_or_else(|| panic!("nobody expected page {page}"));
            let answer = left.remove(0);
            drop(answers);
            self.asked.lock().unwrap().send(page).unwrap();
            Ok(answer)
        }

        fn reconnect(&self, _: Instant) {}
    }

    /// A list, and which of its pages were asked for so far.
    struct World {
        graph: Graph,
        cancel: Cancel,
        asked: Receiver<String>,
    }

    /// A page called so with one row and the next one's name; none: the last.
    fn page(row: &str, next: Option<&str>) -> Reply {
        let next = next.map(|next| format!("https://graph.microsoft.com/v1.0/things?page={next}"));
        let mut body = json!({"value": [{"id": row}]});
        if let Some(next) = next {
            body["@odata.nextLink"] = next.into();
        }
        reply(200, &[], &body.to_string())
    }

    impl World {
        fn of(answers: Vec<(&'static str, Vec<Reply>)>) -> World {
            let (sender, asked) = channel();
            let wire = Wire { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::new(sender) };
            let cancel = Cancel::new();
            let connection = Connection {
                origin: "https://graph.microsoft.com".to_owned(),
                authority: "https://login.microsoftonline.com".to_owned(),
                scope: "https://graph.microsoft.com/.default".to_owned(),
                tenant: "contoso.onmicrosoft.com".to_owned(),
                auth: Auth::ClientSecret {
                    client_id: "c".to_owned(),
                    client_secret: Secret::new("s3cret~".to_owned()),
                },
                proxy: None,
                ca_pem: None,
                max_retries: 1,
                retry_base: Duration::from_millis(1),
                max_concurrency: 8,
            };
            let graph = Graph::through(
                std::sync::Arc::new(wire),
                connection,
                cancel.clone(),
                Counters::new(),
                Log::new(Level::Error),
            );
            World { graph, cancel, asked }
        }

        /// Walks from page 1; `take` gets the row of each.
        fn walk(&self, ahead: bool, mut take: impl FnMut(&str) -> Result<(), Error>) -> Result<(), WalkError> {
            let first = WalkStart { ahead, ..WalkStart::of(self.graph.link("/things?page=1")) };
            walk_pages(
                &self.graph,
                first,
                Expect::NoDeltaLink,
                |answer| {
                    let page = Page::<Member<'_>>::read_plain(answer.body).map_err(unreadable)?;
                    let row = page.rows[0].id.as_deref().unwrap_or_default().to_owned();
                    Ok((page.links, row))
                },
                |row, _| take(&row),
            )
            .map(drop)
        }

        fn next_asked(&self) -> String {
            self.asked.recv_timeout(HANG).unwrap()
        }

        fn asked_so_far(&self) -> Vec<String> {
            self.asked.try_iter().collect()
        }
    }

    fn four() -> World {
        World::of(vec![
            ("1", vec![page("a", Some("2"))]),
            ("2", vec![page("b", Some("3"))]),
            ("3", vec![page("c", Some("4"))]),
            ("4", vec![page("d", None)]),
        ])
    }

    #[test]
    fn the_third_page_is_asked_for_before_the_second_is_taken_and_the_fourth_is_not() {
        let world = four();
        let mut rows = Vec::new();
        world
            .walk(true, |row| {
                if row == "b" {
                    // Nothing but the page ahead can bring this while the second page is being taken.
                    assert_eq!([world.next_asked(), world.next_asked(), world.next_asked()], ["1", "2", "3"]);
                    assert!(world.asked_so_far().is_empty());
                }
                rows.push(row.to_owned());
                Ok(())
            })
            .unwrap();
        assert_eq!(rows, ["a", "b", "c", "d"]);
        assert_eq!(world.asked_so_far(), ["4"]);
    }

    #[test]
    fn while_the_first_page_is_taken_nothing_is_asked() {
        for ahead in [true, false] {
            let world = four();
            world
                .walk(ahead, |row| {
                    if row == "a" {
                        assert_eq!(world.asked_so_far(), ["1"]);
                        std::thread::sleep(Duration::from_millis(20));
                        assert!(world.asked_so_far().is_empty());
                    }
                    Ok(())
                })
                .unwrap();
        }
    }

    #[test]
    fn a_walk_that_may_not_read_ahead_asks_page_by_page() {
        let world = four();
        let mut taken = 0;
        world
            .walk(false, |_| {
                taken += 1;
                std::thread::sleep(Duration::from_millis(5));
                assert_eq!(world.asked_so_far(), [taken.to_string()]);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn a_try_ahead_that_failed_counts_as_the_first() {
        let failing = |times| {
            let mut third: Vec<Reply> = (0..times).map(|_| reply(500, &[], "")).collect();
            third.push(page("c", None));
            World::of(vec![("1", vec![page("a", Some("2"))]), ("2", vec![page("b", Some("3"))]), ("3", third)])
        };
        let once = failing(1);
        once.walk(true, |_| Ok(())).unwrap();
        assert_eq!(once.asked_so_far(), ["1", "2", "3", "3"]);
        let twice = failing(2);
        assert!(matches!(twice.walk(true, |_| Ok(())), Err(WalkError::Page(_))));
        assert_eq!(twice.asked_so_far(), ["1", "2", "3", "3"]);
    }

    #[test]
    fn a_page_that_names_another_link_when_it_is_read_again_is_believed_then() {
        let cut = r#"{"@odata.nextLink":"https://graph.microsoft.com/v1.0/things?page=3","value":[{"id":"#;
        let world = World::of(vec![
            ("1", vec![page("a", Some("2"))]),
            ("2", vec![reply(200, &[], cut), page("b", Some("5"))]),
            ("3", vec![page("never", None)]),
            ("5", vec![page("e", None)]),
        ]);
        let mut rows = Vec::new();
        world
            .walk(true, |row| {
                rows.push(row.to_owned());
                Ok(())
            })
            .unwrap();
        assert_eq!(rows, ["a", "b", "e"]);
    }

    #[test]
    fn links_that_go_in_circles_or_elsewhere_are_not_asked_for_ahead() {
        let circle = World::of(vec![("1", vec![page("a", Some("2"))]), ("2", vec![page("b", Some("1"))])]);
        assert!(matches!(circle.walk(true, |_| Ok(())), Err(WalkError::PageLink(_))));
        assert_eq!(circle.asked_so_far(), ["1", "2"]);
        let foreign = r#"{"@odata.nextLink":"https://contoso.com/v1.0/things?page=3","value":[{"id":"b"}]}"#;
        let away = World::of(vec![("1", vec![page("a", Some("2"))]), ("2", vec![reply(200, &[], foreign)])]);
        assert!(away.walk(true, |_| Ok(())).is_err());
        assert_eq!(away.asked_so_far(), ["1", "2"]);
    }

    #[test]
    fn whoever_stops_taking_is_answered_with_his_own_error() {
        for cancelled in [false, true] {
            let world = four();
            let walked = world.walk(true, |row| match row {
                "b" => {
                    if cancelled {
                        world.cancel.cancel();
                    }
                    Err(Error::new(Kind::Busy, "no more"))
                }
                _ => Ok(()),
            });
            assert_eq!(walked.unwrap_err().into_error().message, "no more");
        }
    }
}
