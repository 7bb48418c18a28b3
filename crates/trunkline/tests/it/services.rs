//! A trait as the contract of both sides.

use crate::{
    discovery::openrpc::assert_valid,
    support::{Wire, client},
};
use futures_util::{Stream, StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use trunkline::{
    Calls, Client, Context, Fault, FaultKind, InProcess, Incoming, JsonRpc, Limits, Peer, Router, State,
};

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
struct Point {
    x: i64,
    y: i64,
}

/// Sums and the like.
#[trunkline::service(scope = "math", version = "2", group = "numbers")]
trait Math {
    /// Adds two numbers.
    ///
    /// Both are whole.
    async fn add(&self, a: i64, b: i64) -> i64;

    async fn divide(
        &self,
        /// What is divided.
        numerator: f64,
        #[arg(default = 2.0, name = "by")] denominator: f64,
    ) -> Result<f64, Fault>;

    #[procedure(idempotent, group = "planes", data(role = "draw", cost = 3))]
    async fn moved(&self, of: Point, x: Option<i64>, y: Option<i64>) -> Point;

    #[procedure(name = "count")]
    async fn up(&self, from: u64, to: u64) -> impl Stream<Item = u64>;

    async fn down(&self, from: u64) -> Result<impl Stream<Item = Result<Point, Fault>>, Fault>;

    /// Writes something down.
    #[procedure(notification, ordered)]
    async fn note(&self, text: String);

    async fn notes(&self) -> Vec<String>;

    #[procedure(timeout = "20ms")]
    async fn forever(&self);

    #[deprecated(note = "call math.add")]
    async fn plus(&self, a: i64, b: i64) -> i64 {
        self.add(a, b).await
    }

    async fn ask_back(
        &self,
        #[extract] peer: Peer,
        #[extract] _context: Context,
        name: String,
    ) -> Result<String, Fault>;

    async fn counted(&self, #[extract] state: State<Vec<u8>>, #[arg(default)] r#type: String) -> usize;
}

#[derive(Default)]
struct Abacus {
    notes: Mutex<Vec<String>>,
    rows: Vec<i64>,
}

impl Math for Abacus {
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }

    async fn divide(&self, numerator: f64, denominator: f64) -> Result<f64, Fault> {
        if denominator == 0.0 {
            return Err("nobody divides by zero".into());
        }
        Ok(numerator / denominator)
    }

    async fn moved(&self, of: Point, x: Option<i64>, y: Option<i64>) -> Point {
        Point { x: of.x + x.unwrap_or(0), y: of.y + y.unwrap_or(0) }
    }

    async fn up(&self, from: u64, to: u64) -> impl Stream<Item = u64> {
        stream::iter(from..to)
    }

    async fn down(&self, from: u64) -> Result<impl Stream<Item = Result<Point, Fault>>, Fault> {
        if from > 9 {
            return Err("too far up".into());
        }
        // borrows from the service
        let rows = self.rows.iter().map(|&x| Ok(Point { x, y: 0 }));
        Ok(stream::iter(rows.chain([Err("that was all".into())])))
    }

    async fn note(&self, text: String) {
        self.notes.lock().unwrap().push(text);
    }

    async fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }

    async fn forever(&self) {
        std::future::pending().await
    }

    async fn ask_back(&self, peer: Peer, _context: Context, name: String) -> Result<String, Fault> {
        let greeter = GreeterClient::new(peer);
        greeter.greet(name).await
    }

    async fn counted(&self, state: State<Vec<u8>>, r#type: String) -> usize {
        state.len() + r#type.len()
    }
}

/// What the server may ask of its callers.
#[trunkline::service]
trait Greeter {
    async fn greet(&self, name: String) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> String {
        format!("good day, {name}")
    }
}

fn abacus() -> Abacus {
    Abacus { rows: vec![3, 1], ..Abacus::default() }
}

fn served() -> Router {
    Router::new().state(vec![1_u8, 2, 3]).service(MathService::new(abacus()))
}

fn connected() -> Client {
    client(served(), Limits::default(), Router::new().service(GreeterService::new(Polite)))
}

/// What holds over anything that calls.
async fn play<C: Calls>(math: MathClient<C>) {
    assert_eq!(math.add(2, 3).await.unwrap(), 5);
    assert_eq!(math.divide(3.0, 2.0).await.unwrap(), 1.5);
    assert_eq!(math.divide(3.0, 0.0).await.unwrap_err().message(), "nobody divides by zero");
    assert_eq!(math.moved(Point { x: 1, y: 2 }, None, Some(5)).await.unwrap(), Point { x: 1, y: 7 });
    let up = math.up(3, 6).await.unwrap();
    assert_eq!(up.map(Result::unwrap).collect::<Vec<_>>().await, [3, 4, 5]);
    let down: Vec<_> = math.down(2).await.unwrap().collect().await;
    assert_eq!(down[..2], [Ok(Point { x: 3, y: 0 }), Ok(Point { x: 1, y: 0 })]);
    assert_eq!(down[2].as_ref().unwrap_err().message(), "that was all");
    assert!(math.down(10).await.is_err_and(|fault| fault.message() == "too far up"));
    math.note("one".into()).await.unwrap();
    math.note("two".into()).await.unwrap();
    assert_eq!(math.notes().await.unwrap(), ["one", "two"]);
    assert_eq!(math.forever().await.unwrap_err().kind(), FaultKind::DeadlineExceeded);
    assert_eq!(math.counted("ab".into()).await.unwrap(), 5);
}

#[tokio::test]
async fn one_client_fits_all_that_call() {
    play(MathClient::new(&connected())).await;
    play(MathClient::new(Arc::new(connected()))).await;
    play(MathClient::new(InProcess::new(served()))).await;
    let client = connected();
    client.call::<usize>("math.counted", ()).await.unwrap();
    play(MathClient::new(client.server().unwrap())).await;
}

#[tokio::test]
async fn a_server_asks_its_caller_back() {
    let math = MathClient::new(connected());
    assert_eq!(math.ask_back("Ada".into()).await.unwrap(), "good day, Ada");
    let nobody = MathClient::new(InProcess::new(served()));
    assert!(nobody.ask_back("Ada".into()).await.unwrap_err().message().contains("no way back"));
}

#[tokio::test]
async fn arguments_come_by_name_and_by_position() {
    let mut wire = Wire::to(served());
    for (method, params, expected) in [
        ("math.add", json!([2, 3]), json!(5)),
        ("math.add", json!({"b": 3, "a": 2}), json!(5)),
        ("math.divide", json!([9.0]), json!(4.5)),
        ("math.divide", json!({"numerator": 9.0, "by": 3.0}), json!(3.0)),
        ("math.moved", json!([{"x": 1, "y": 2}]), json!({"x": 1, "y": 2})),
        ("math.moved", json!([{"x": 1, "y": 2}, null, 1]), json!({"x": 1, "y": 3})),
        ("math.moved", json!({"of": {"x": 1, "y": 2}, "x": 1}), json!({"x": 2, "y": 2})),
        ("math.counted", json!(["abc"]), json!(6)),
        ("math.counted", json!({"type": "abc"}), json!(6)),
        ("math.counted", json!([]), json!(3)),
        ("math.plus", json!([1, 1]), json!(2)),
    ] {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        assert_eq!(wire.ask(call.to_string()).await["result"], expected, "{method} {params}");
    }
    let short = wire.ask(r#"{"jsonrpc":"2.0","id":1,"method":"math.add","params":[1]}"#).await;
    assert_eq!(short["error"]["data"], "missing argument `b`");
    let notes = wire.ask(r#"{"jsonrpc":"2.0","id":1,"method":"math.notes"}"#).await;
    assert_eq!(notes["result"], json!([]));
}

#[test]
fn the_catalog_has_what_the_trait_says() {
    let catalog = served().catalog();
    let entry = |name: &str| catalog.procedures.iter().find(|it| &*it.name == name).unwrap();
    let add = entry("math.add");
    assert_eq!(add.details.description.as_deref(), Some("Adds two numbers.\n\nBoth are whole."));
    assert_eq!(add.details.version.as_deref(), Some("2"));
    assert_eq!(add.details.groups, ["numbers"]);
    assert_eq!(add.signature.positions, ["a", "b"]);
    let moved = &entry("math.moved").details;
    assert!(moved.idempotent);
    assert_eq!(moved.groups, ["numbers", "planes"]);
    assert_eq!((&moved.data["role"], &moved.data["cost"]), (&json!("draw"), &json!(3)));
    assert_eq!(entry("math.moved").signature.args.get("required"), Some(&json!(["of"])));
    assert_eq!(entry("math.plus").details.deprecated.as_deref(), Some("call math.add"));
    assert_eq!(entry("math.forever").timeout, Some(Duration::from_millis(20)));
    let note = &entry("math.note").details;
    assert!(note.notification && note.ordered);
    let by = entry("math.divide").signature.args.get("properties").unwrap();
    assert_eq!(by["numerator"]["description"], "What is divided.");
    assert_eq!(by["by"]["default"], 2.0);
    assert_eq!(entry("math.notes").signature.args, false);
    assert_eq!(entry("math.count").signature.result.get("type"), Some(&json!("integer")));
}

/// What callers knew of [`Rooms`] a year ago.
mod before {
    #[trunkline::service(scope = "rooms")]
    pub(super) trait Rooms {
        async fn join(&self, room: String) -> String;
        async fn count(&self) -> usize;
    }
}

#[trunkline::service(scope = "rooms")]
trait Rooms {
    async fn join(&self, room: String, guest: Option<String>, #[arg(default = 1)] seats: u8) -> String;
    async fn count(&self, above: Option<usize>) -> usize;
    async fn leave(&self, room: String) -> bool {
        !room.is_empty()
    }
}

struct Hotel;

impl before::Rooms for Hotel {
    async fn join(&self, room: String) -> String {
        room
    }

    async fn count(&self) -> usize {
        1
    }
}

impl Rooms for Hotel {
    async fn join(&self, room: String, guest: Option<String>, seats: u8) -> String {
        format!("{room} {guest:?} {seats}")
    }

    async fn count(&self, above: Option<usize>) -> usize {
        above.unwrap_or(2)
    }
}

#[tokio::test]
async fn an_older_client_calls_a_newer_server() {
    let newer = Router::new().service(RoomsService::new(Hotel));
    let client = client(newer, Limits::default(), Router::new());
    let rooms = before::RoomsClient::new(&client);
    assert_eq!(rooms.join("blue".into()).await.unwrap(), "blue None 1");
    assert_eq!(rooms.count().await.unwrap(), 2);
    assert!(RoomsClient::new(&client).leave("blue".into()).await.unwrap());
}

#[tokio::test]
async fn a_newer_client_calls_an_older_server() {
    let older = Router::new().service(before::RoomsService::new(Hotel));
    let rooms = RoomsClient::new(client(older, Limits::default(), Router::new()));
    assert_eq!(rooms.join("blue".into(), None, 1).await.unwrap(), "blue");
    assert_eq!(rooms.join("blue".into(), Some("Ada".into()), 2).await.unwrap(), "blue");
    assert_eq!((rooms.count(None).await, rooms.count(Some(5)).await), (Ok(1), Ok(1)));
    assert_eq!(rooms.leave("blue".into()).await.unwrap_err().kind(), FaultKind::NotFound);
}

#[test]
#[should_panic(
    expected = "procedure `rooms.join` is registered twice: at crates/trunkline/tests/it/services.rs"
)]
fn a_name_is_served_once() {
    drop(Router::new().service(RoomsService::new(Hotel)).service(before::RoomsService::new(Hotel)));
}

#[tokio::test]
async fn what_is_internal_is_called_from_here_alone() {
    #[trunkline::service(internal)]
    trait Hidden {
        async fn sweep(&self) -> u8;
    }
    struct Broom;
    impl Hidden for Broom {
        async fn sweep(&self) -> u8 {
            1
        }
    }
    let router = Router::new().service(HiddenService::shared(Arc::new(Broom)));
    let outside = HiddenClient::new(client(router.clone(), Limits::default(), Router::new()));
    assert_eq!(outside.sweep().await.unwrap_err().kind(), FaultKind::NotFound);
    assert_eq!(HiddenClient::new(InProcess::new(router)).sweep().await, Ok(1));
}

#[tokio::test]
async fn guards_hold_within_the_process_too() {
    let router = served().guard(|_| Err(Fault::new(FaultKind::Forbidden, "not today")));
    let math = MathClient::new(InProcess::new(router));
    assert_eq!(math.add(1, 2).await.unwrap_err().kind(), FaultKind::Forbidden);
    assert_eq!(math.up(1, 2).await.map(drop).unwrap_err().kind(), FaultKind::Forbidden);
}

#[test]
fn a_service_is_described_in_openrpc() {
    let document = JsonRpc::default().openrpc(&served().catalog(), "services", "1.0.0");
    assert_valid(&document);
    let methods = document["methods"].as_array().unwrap();
    let notes = methods.iter().find(|it| it["name"] == "math.notes").unwrap();
    assert_eq!(notes["params"], json!([]));
}

/// Takes streams, alone and among arguments.
#[trunkline::service]
trait Series {
    async fn sum(&self, numbers: impl Stream<Item = i64>) -> Result<i64, Fault>;

    async fn scaled(
        &self,
        #[extract] caller: Context,
        by: i64,
        /// What is scaled.
        numbers: impl Stream<Item = Result<i64, Fault>>,
        #[arg(default = 0)] offset: i64,
    ) -> impl Stream<Item = Result<i64, Fault>>;

    async fn count(&self, points: impl Stream<Item = Point>) -> Result<usize, Fault> {
        let points: Vec<_> = points.collect().await;
        Ok(points.len())
    }
}

struct Scale;

impl Series for Scale {
    async fn sum(&self, mut numbers: Incoming<i64>) -> Result<i64, Fault> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(sum)
    }

    async fn scaled(
        &self,
        _caller: Context,
        by: i64,
        numbers: Incoming<i64>,
        offset: i64,
    ) -> impl Stream<Item = Result<i64, Fault>> {
        numbers.map(move |number| Ok(number? * by + offset))
    }
}

async fn series<C: Calls>(series: SeriesClient<C>) {
    assert_eq!(series.sum(stream::iter(1..=100)).await.unwrap(), 5050);
    let numbers = stream::iter([Ok(1), Ok(2), Err(Fault::from("burst")), Ok(3)]);
    let scaled: Vec<_> = series.scaled(10, numbers, 1).await.unwrap().collect().await;
    assert_eq!(scaled[..2].iter().flatten().copied().collect::<Vec<_>>(), [11, 21]);
    assert_eq!(scaled[2].as_ref().unwrap_err().message(), "burst");
    assert_eq!(scaled.len(), 3);
    assert_eq!(series.count(stream::iter([Point { x: 1, y: 2 }])).await.unwrap(), 1);
}

#[tokio::test]
async fn streams_are_arguments_of_typed_clients() {
    let router = || Router::new().service(SeriesService::new(Scale));
    series(SeriesClient::new(InProcess::new(router()))).await;
    series(SeriesClient::new(client(router(), Limits::default(), Router::new()))).await;
    let document = JsonRpc::default().openrpc(&router().catalog(), "series", "1");
    assert_valid(&document);
    let methods = document["methods"].as_array().unwrap();
    let scaled = methods.iter().find(|it| it["name"] == "scaled").unwrap();
    assert_eq!(scaled["x-incoming"]["item"]["type"], "integer");
    let names: Vec<_> = scaled["params"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["by", "offset"]);
}
