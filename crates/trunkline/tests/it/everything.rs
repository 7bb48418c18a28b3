//! All that can be said of a service, where the compiler warns of everything.

#![deny(warnings, missing_docs, clippy::pedantic)]

use futures_util::{Stream, stream};
use std::time::Duration;
use trunkline::{Context, Fault, Router};
use trunkline_core::handler::Run;

/// A service.
#[trunkline::service(scope = "all", version = "1", group = "one", data(key = 1), timeout = 1.5, ordered)]
pub trait All {
    /// Says much.
    #[procedure(name = "much", version = "2", internal, group = "two", group = "three", data(other = "a b", list = [1, 2]))]
    #[procedure(idempotent, timeout = "1h")]
    #[allow(clippy::too_many_arguments)]
    async fn says_much(
        &self,
        #[extract] context: Context,
        /// The first.
        #[arg(default)]
        first: u8,
        #[arg(default = String::from("x"), name = "the-second")] second: String,
        third: Option<Vec<u8>>,
    ) -> Result<(), Fault>;

    /// Is told.
    #[procedure(notification)]
    async fn told(&self);

    /// Computes.
    #[procedure(parallel, deprecated = "call told")]
    async fn computes(&self) {}

    /// Blocks.
    #[procedure(blocking)]
    async fn blocks(&self) -> Result<u8, String>;

    /// Is not there.
    #[cfg(any())]
    async fn never(&self, of: NoSuchType) -> NoSuchType;

    /// Counts.
    async fn numbers(&self) -> Result<impl Stream<Item = u8> + Unpin, std::convert::Infallible>;
}

struct Mine;

impl All for Mine {
    async fn says_much(&self, _: Context, _: u8, _: String, _: Option<Vec<u8>>) -> Result<(), Fault> {
        Ok(())
    }

    async fn told(&self) {}

    async fn blocks(&self) -> Result<u8, String> {
        Err(String::new())
    }

    async fn numbers(&self) -> Result<impl Stream<Item = u8> + Unpin, std::convert::Infallible> {
        Ok(stream::iter([1]))
    }
}

#[test]
fn all_of_it_is_said() {
    let router = Router::new().service(AllService::new(Mine));
    let catalog = router.catalog();
    let names: Vec<&str> = catalog.procedures.iter().map(|entry| &*entry.name).collect();
    assert_eq!(names, ["all.blocks", "all.computes", "all.numbers", "all.told"]);
    assert!(router.contains("all.much"), "but it is internal");
    for entry in &catalog.procedures {
        assert_eq!(entry.details.groups, ["one"], "{}", entry.name);
        assert!(
            entry.details.ordered && entry.timeout == Some(Duration::from_millis(1500)),
            "{}",
            entry.name
        );
    }
    assert_eq!(catalog.procedures[1].details.deprecated.as_deref(), Some("call told"));
    let runs = |name: &str| router.find(name).unwrap().run();
    assert_eq!(
        (runs("all.computes"), runs("all.blocks"), runs("all.told")),
        (Run::Parallel, Run::Blocking, Run::Inline)
    );
}
