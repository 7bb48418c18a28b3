//! Names that get in nobody's way, however they are chosen.

// what is made must not get in the way of these, nor they in the way of it
#![allow(non_upper_case_globals, non_camel_case_types, dead_code, reason = "ugly names are the point")]

use crate::support::client;
use futures_util::{Stream, StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{error::Error as _, time::Duration};
use trunkline::{
    CallError, Calls, Context, Fault, FaultKind, InProcess, Limits, Router, TypedFault as _, handler,
};

#[derive(Debug, PartialEq, trunkline::Fault)]
enum Shadows {
    #[fault("{message} {error:?} {f:>width$} {path}", name = "told")]
    Fields { message: String, error: u8, f: u8, path: String, fault: bool, width: usize },
    #[fault("{type}", name = "type")]
    Raw { r#type: u8 },
    #[fault("up to {LIMIT}, not {0:1$}", code = LIMIT)]
    Captured(u8, usize),
}

const LIMIT: i64 = 7;

mod constants {
    const message: u8 = 1;
    const error: u8 = 2;
    const fault: u8 = 3;
    const room: u8 = 4;
    const field_0: u8 = 5;
    const args: u8 = 7;
    const router: u8 = 8;
    const item: u8 = 9;
    const f: u8 = 10;

    #[derive(Debug, PartialEq, trunkline::Fault)]
    pub(super) enum Shadowed {
        #[fault("no room in {room}: {message}")]
        Full { room: String, message: u8 },
        #[fault("{0}")]
        Other(String),
    }

    #[trunkline::service]
    pub(super) trait Constant {
        async fn room(&self, number: u8) -> Result<u8, Shadowed>;
        async fn rooms(&self, number: u8) -> impl futures_util::Stream<Item = u8>;
    }
}

/// What serde itself calls things while it derives, and we do.
#[derive(Debug, PartialEq, trunkline::Fault)]
enum Names {
    #[fault("{0}")]
    Field(u8),
    #[fault("{0}")]
    Visitor(u8),
    #[fault("{0}")]
    A(u8),
    #[fault("{0}")]
    D(u8),
    #[fault("{0}")]
    E(u8),
    #[fault("{0}")]
    S(u8),
    #[fault("{0}")]
    Told(u8),
    #[fault("{0}")]
    Error(u8),
    #[fault("none")]
    Unit,
}

fn crossed<E: trunkline::TypedFault>(error: E) -> E {
    E::from_fault(error.into()).unwrap_or_else(|fault| panic!("{fault:?} is not known"))
}

#[test]
fn fields_and_variants_have_any_name() {
    let fields =
        || Shadows::Fields { message: "m".into(), error: 2, f: 3, path: "p".into(), fault: true, width: 3 };
    assert_eq!(fields().to_string(), "m 2   3 p");
    let fault = Fault::from(fields());
    assert_eq!(fault.message(), "m 2   3 p");
    let properties = json!({"message": "m", "error": 2, "f": 3, "path": "p", "fault": true, "width": 3});
    assert_eq!(fault.properties::<serde_json::Value>().unwrap(), properties);
    assert_eq!(crossed(fields()), fields());
    let raw = Fault::from(Shadows::Raw { r#type: 5 });
    assert_eq!((raw.message(), raw.raw_data().unwrap()), ("5", r#"{"name":"type","properties":{"type":5}}"#));
    assert_eq!(Shadows::Captured(2, 3).to_string(), "up to 7, not   2");
    assert_eq!(Fault::from(Shadows::Captured(2, 3)).code(), Some(7));
    let full = || constants::Shadowed::Full { room: "blue".into(), message: 2 };
    assert_eq!(full().to_string(), "no room in blue: 2");
    assert_eq!(crossed(full()), full());
    for make in
        [Names::Field, Names::Visitor, Names::A, Names::D, Names::E, Names::S, Names::Told, Names::Error]
    {
        assert_eq!(crossed(make(3)), make(3));
    }
}

/// Types that are called what type parameters are called.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
struct C(u8);
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
struct S(u8);

#[trunkline::service(client = "Calculator", service = "MathServed")]
trait Math
where
    Self: std::fmt::Debug,
{
    async fn swap(&self, c: C, s: S) -> (S, C);
    async fn both(&self, c: C) -> Result<impl Stream<Item = S>, Fault>;

    // their defaults are apart
    async fn list(&self, #[arg(default = 2)] page_size: u8) -> u8;
    async fn list_page(&self, #[arg(default = 3)] size: u8) -> u8;

    /// Nothing is something else than what is left out.
    async fn perhaps(&self, #[arg(default = Some(5))] limit: Option<u8>) -> Option<u8>;

    /// What it is made of has these names too.
    async fn within(
        &self,
        #[extract] args: Context,
        service: u8,
        router: u8,
        item: u8,
        stream: u8,
        calls: u8,
    ) -> u8;

    #[cfg(test)]
    async fn either(&self, a: u8) -> u8;
    #[cfg(not(test))]
    async fn either(&self, a: Context, b: u16) -> std::io::Result<u8>;

    #[procedure(timeout = "20ms")]
    async fn never(&self) -> impl Stream<Item = u8>;
}

/// The names of the usual are free.
struct MathClient;
struct MathService;

#[derive(Debug)]
struct Abacus;

impl Math for Abacus {
    async fn swap(&self, c: C, s: S) -> (S, C) {
        (s, c)
    }

    async fn both(&self, c: C) -> Result<impl Stream<Item = S>, Fault> {
        Ok(stream::iter([S(c.0), S(c.0 + 1)]))
    }

    async fn list(&self, page_size: u8) -> u8 {
        page_size
    }

    async fn list_page(&self, size: u8) -> u8 {
        size
    }

    async fn perhaps(&self, limit: Option<u8>) -> Option<u8> {
        limit
    }

    async fn within(&self, _: Context, service: u8, router: u8, item: u8, stream: u8, calls: u8) -> u8 {
        service + router + item + stream + calls
    }

    async fn either(&self, a: u8) -> u8 {
        a
    }

    async fn never(&self) -> impl Stream<Item = u8> {
        std::future::pending::<()>().await;
        stream::empty()
    }
}

impl constants::Constant for Abacus {
    async fn room(&self, number: u8) -> Result<u8, constants::Shadowed> {
        if number == 0 { Err(constants::Shadowed::Other("none".into())) } else { Ok(number) }
    }

    async fn rooms(&self, number: u8) -> impl Stream<Item = u8> {
        stream::iter(0..number)
    }
}

fn served() -> Router {
    Router::new().service(MathServed::new(Abacus)).service(constants::ConstantService::new(Abacus))
}

async fn play(calls: impl Calls + Clone) {
    let math = Calculator::new(calls.clone());
    assert_eq!(math.swap(C(1), S(2)).await.unwrap(), (S(2), C(1)));
    let both = math.both(C(1)).await.unwrap();
    assert_eq!(both.map(Result::unwrap).collect::<Vec<_>>().await, [S(1), S(2)]);
    assert_eq!(calls.call::<u8>("list", (), None).await, Ok(2));
    assert_eq!(calls.call::<u8>("list_page", (), None).await, Ok(3));
    assert_eq!(calls.call::<Option<u8>>("perhaps", (), None).await, Ok(Some(5)));
    assert_eq!(math.perhaps(None).await, Ok(None));
    assert_eq!(math.perhaps(Some(1)).await, Ok(Some(1)));
    assert_eq!(math.within(1, 2, 3, 4, 5).await, Ok(15));
    assert_eq!(math.either(1).await, Ok(1));
    let constant = constants::ConstantClient::new(calls);
    assert_eq!(constant.room(0).await, Err(CallError::Typed(constants::Shadowed::Other("none".into()))));
    assert_eq!(constant.rooms(2).await.unwrap().map(Result::unwrap).collect::<Vec<_>>().await, [0, 1]);
}

#[tokio::test]
async fn a_service_has_any_names() {
    play(InProcess::new(served())).await;
    play(client(served(), Limits::default(), Router::new())).await;
}

/// Trunkline by another name, as a facade has it.
mod rpc {
    pub(super) use trunkline::*;
}

mod elsewhere {
    #[derive(Debug, PartialEq, super::rpc::Fault)]
    #[fault(crate = "super::rpc")]
    pub(super) enum Refused {
        #[fault("not {0}")]
        Guest(String),
    }

    #[derive(Debug, PartialEq, super::rpc::Fault)]
    #[fault("late by {by}", crate = "crate::hygiene::rpc")]
    pub(super) struct Late {
        pub(super) by: u8,
    }

    #[super::rpc::service(crate = "super::rpc", scope = "rooms")]
    pub(super) trait Rooms {
        async fn join(&self, #[arg(default = 1)] seats: u8) -> Result<u8, Refused>;
        async fn each(&self) -> Result<impl futures_util::Stream<Item = u8>, Late>;
    }
}

struct Hotel;

impl elsewhere::Rooms for Hotel {
    async fn join(&self, seats: u8) -> Result<u8, elsewhere::Refused> {
        if seats > 1 { Err(elsewhere::Refused::Guest("two".into())) } else { Ok(seats) }
    }

    async fn each(&self) -> Result<impl Stream<Item = u8>, elsewhere::Late> {
        if true { Err(elsewhere::Late { by: 1 }) } else { Ok(stream::empty()) }
    }
}

#[tokio::test]
async fn trunkline_goes_by_another_name() {
    let rooms = elsewhere::RoomsClient::new(InProcess::new(
        Router::new().service(elsewhere::RoomsService::new(Hotel)),
    ));
    assert_eq!(rooms.join(1).await, Ok(1));
    assert_eq!(rooms.join(2).await, Err(CallError::Typed(elsewhere::Refused::Guest("two".into()))));
    assert!(matches!(rooms.each().await, Err(CallError::Typed(elsewhere::Late { by: 1 }))));
}

/// An error that wraps a fault, and such as have something behind them.
#[derive(Debug, thiserror::Error, trunkline::Fault)]
enum Wrapping {
    #[error("it did not answer")]
    #[fault(internal)]
    Fault(#[from] Fault),
    #[error("too late")]
    Late,
}

#[derive(Debug, trunkline::Fault)]
enum Behind {
    #[fault("not a number: {0}", internal)]
    Number(std::num::ParseIntError),
    #[fault("neither: {by}", internal)]
    Text { by: String },
    #[fault("two", internal)]
    Two(std::fmt::Error, std::fmt::Error),
    #[fault("told: {0}")]
    Told(u8),
}

#[test]
fn an_error_may_wrap_a_fault() {
    let wrapped = Wrapping::from(Fault::from("no"));
    assert_eq!(Fault::from(wrapped).kind(), FaultKind::Internal);
    assert!(matches!(Wrapping::from_fault(Fault::from(Wrapping::Late)), Ok(Wrapping::Late)));
    let other = Fault::from("other");
    assert_eq!(Wrapping::from_fault(other.clone()).unwrap_err(), other);
    let told = CallError::<Wrapping>::from(Fault::from(Wrapping::Late));
    assert!(matches!(told, CallError::Typed(Wrapping::Late)));
}

#[test]
fn what_is_behind_an_error_is_its_source() {
    let number = Behind::Number("x".parse::<u8>().unwrap_err());
    assert!(number.source().unwrap().is::<std::num::ParseIntError>());
    let two = Behind::Two(std::fmt::Error, std::fmt::Error);
    for none in [Behind::Text { by: "x".into() }, two, Behind::Told(1)] {
        assert!(none.source().is_none(), "{none}");
    }
    let fault = Fault::from(Behind::Number("x".parse::<u8>().unwrap_err()));
    assert!(fault.source().unwrap().source().is_some(), "hooks see it all");
}

/// A service that a macro writes, from types it was given.
macro_rules! store_of {
    ($service:ident, $of:ty, $found:ty, $limit:literal, $name:expr) => {
        #[trunkline::service(scope = $name)]
        trait $service {
            async fn find(&self, #[arg(default = $limit)] id: $of, hint: $found) -> Result<$found, Fault>;
            #[procedure(timeout = $limit)]
            async fn found(&self, hint: $found) -> $found;
        }
    };
}

store_of!(Store, u8, Option<u8>, 3, "store");

struct Shelf;

impl Store for Shelf {
    async fn find(&self, id: u8, hint: Option<u8>) -> Result<Option<u8>, Fault> {
        Ok(hint.or(Some(id)))
    }

    async fn found(&self, hint: Option<u8>) -> Option<u8> {
        hint
    }
}

#[tokio::test]
async fn a_macro_writes_a_service() {
    let router = Router::new().service(StoreService::new(Shelf));
    let catalog = router.clone().catalog();
    let find = catalog.procedures.iter().find(|it| &*it.name == "store.find").unwrap();
    assert_eq!(find.signature.args.get("required"), None);
    let found = catalog.procedures.iter().find(|it| &*it.name == "store.found").unwrap();
    assert_eq!(found.timeout, Some(Duration::from_secs(3)));
    let store = StoreClient::new(InProcess::new(router));
    assert_eq!(store.find(1, None).await, Ok(Some(1)));
    assert_eq!(store.found(Some(4)).await, Ok(Some(4)));
}

/// `-D warnings` is what shows that nothing complains of it where it is served.
mod old {
    /// Not to be called any more.
    #[deprecated(note = "call New")]
    #[trunkline::service]
    pub(super) trait Old {
        async fn one(&self) -> u8;
        #[procedure(deprecated = "call two")]
        async fn two(&self) -> u8;
    }

    pub(super) struct Relic;

    #[expect(deprecated, reason = "it is the implementation")]
    impl Old for Relic {
        async fn one(&self) -> u8 {
            1
        }

        async fn two(&self) -> u8 {
            2
        }
    }
}

#[test]
fn the_catalog_says_that_a_trait_is_deprecated() {
    let router = Router::new().service(old::OldService::new(old::Relic));
    let said = |name: &str| {
        let catalog = router.clone().catalog();
        let entry = catalog.procedures.iter().find(|it| &*it.name == name).unwrap();
        entry.details.deprecated.clone().unwrap()
    };
    assert_eq!((&*said("one"), &*said("two")), ("call New", "call two"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_opens_in_time_or_not_at_all() {
    async fn late(calls: impl Calls) {
        let refused = Calculator::new(Box::new(calls)).never().await.map(drop).unwrap_err();
        assert_eq!(refused.kind(), FaultKind::DeadlineExceeded);
    }
    late(InProcess::new(served())).await;
    let client = client(served(), Limits::default(), Router::new());
    client.call::<u8>("list", ()).await.unwrap();
    late(client.server().unwrap()).await;
    late(client).await;
}

#[tokio::test]
async fn a_panic_in_process_is_an_internal_fault() {
    let router = Router::new()
        .procedure("value", handler(async |at: u8| if at == 0 { panic!("at once") } else { at }))
        .procedure("items", async |at: u8| stream::iter(0..at).map(|_| -> u8 { panic!("at the first") }));
    let here = InProcess::new(router);
    assert_eq!(here.call::<u8>("value", (0,), None).await.unwrap_err().kind(), FaultKind::Internal);
    let mut items = here.stream::<u8>("items", (1,), None).await.unwrap();
    assert_eq!(items.next().await.unwrap().unwrap_err().kind(), FaultKind::Internal);
    assert!(items.next().await.is_none());
}
