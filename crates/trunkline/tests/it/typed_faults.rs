//! Errors that cross by name, and come back as what they were.

use crate::support::{Wire, client};
use serde_json::json;
use trunkline::{CallError, Client, Fault, FaultKind, InProcess, Limits, Router, TypedFault as _, handler};

/// Why a guest was not let in.
#[derive(Debug, PartialEq, trunkline::Fault)]
enum JoinError {
    /// The room holds as many guests as it can.
    #[fault("the room is full: {guests} of {guests}", code = 4001, kind = Unavailable)]
    Full { guests: usize },
    #[fault("{0} and {1:?} are not welcome", name = "rooms.unwelcome", kind = FaultKind::Forbidden)]
    Unwelcome(String, Vec<String>),
    #[fault("closed for good {{sorry}}")]
    Closed,
    #[fault("the disk is on fire: {0}", internal)]
    Store(std::num::ParseIntError),
}

/// One that has a `Display` of its own.
#[derive(Debug, PartialEq, thiserror::Error, trunkline::Fault)]
#[error("too late by {by} s")]
#[fault(code = 7)]
struct TooLate {
    by: u64,
}

#[trunkline::service(scope = "rooms")]
trait Rooms {
    async fn join(&self, room: String) -> Result<u8, JoinError>;
    async fn leave(&self) -> Result<(), TooLate>;
    async fn names(&self) -> Result<impl futures_util::Stream<Item = String>, JoinError>;
}

struct Hotel;

impl Rooms for Hotel {
    async fn join(&self, room: String) -> Result<u8, JoinError> {
        match &*room {
            "full" => Err(JoinError::Full { guests: 2 }),
            "unwelcome" => Err(JoinError::Unwelcome("Ada".into(), vec!["Bob".into()])),
            "closed" => Err(JoinError::Closed),
            "store" => Err(JoinError::Store("x".parse::<u8>().unwrap_err())),
            _ => Ok(1),
        }
    }

    async fn leave(&self) -> Result<(), TooLate> {
        Err(TooLate { by: 5 })
    }

    async fn names(&self) -> Result<impl futures_util::Stream<Item = String>, JoinError> {
        match self.join("closed".into()).await {
            Ok(_) => Ok(futures_util::stream::empty()),
            Err(error) => Err(error),
        }
    }
}

fn served() -> Router {
    Router::new().service(RoomsService::new(Hotel))
}

fn connected() -> Client {
    client(served(), Limits::default(), Router::new())
}

#[tokio::test]
async fn an_error_comes_back_as_what_it_was() {
    let rooms = RoomsClient::new(connected());
    assert_eq!(rooms.join("free".into()).await.unwrap(), 1);
    let join = async |room: &str| rooms.join(room.into()).await.unwrap_err();
    assert_eq!(join("full").await, CallError::Typed(JoinError::Full { guests: 2 }));
    let unwelcome = JoinError::Unwelcome("Ada".into(), vec!["Bob".into()]);
    assert_eq!(join("unwelcome").await, CallError::Typed(unwelcome));
    assert_eq!(join("closed").await, CallError::Typed(JoinError::Closed));
    assert!(matches!(join("store").await, CallError::Other(fault) if fault.kind() == FaultKind::Internal));
    assert_eq!(rooms.leave().await, Err(CallError::Typed(TooLate { by: 5 })));
    assert!(matches!(rooms.names().await, Err(CallError::Typed(JoinError::Closed))));
    let here = RoomsClient::new(InProcess::new(served()));
    assert_eq!(here.leave().await, Err(CallError::Typed(TooLate { by: 5 })));
}

#[tokio::test]
async fn what_is_not_known_here_is_a_fault() {
    let rooms = RoomsClient::new(client(Router::new(), Limits::default(), Router::new()));
    let unknown = rooms.leave().await.unwrap_err();
    assert!(matches!(&unknown, CallError::Other(fault) if fault.kind() == FaultKind::NotFound));
    assert_eq!(Fault::from(unknown).kind(), FaultKind::NotFound);
    for data in
        [json!({"name": "TooLate", "properties": {"by": "much"}}), json!({"name": "TooLate"}), json!(5)]
    {
        let fault = Fault::from("no").with_data(data);
        assert_eq!(TooLate::from_fault(fault.clone()), Err(fault));
    }
    let newer = json!({"name": "TooLate", "properties": {"by": 3, "whose": "Ada"}});
    assert_eq!(TooLate::from_fault(Fault::from("no").with_data(newer)), Ok(TooLate { by: 3 }));
}

#[tokio::test]
async fn json_rpc_tells_an_error_by_its_name() {
    let mut wire = Wire::to(served());
    for (room, expected) in [
        (
            "full",
            json!({
                "code": 4001,
                "message": "the room is full: 2 of 2",
                "data": {"name": "Full", "properties": {"guests": 2}},
            }),
        ),
        (
            "unwelcome",
            json!({
                "code": -32003,
                "message": "Ada and [\"Bob\"] are not welcome",
                "data": {"name": "rooms.unwelcome", "properties": {"0": "Ada", "1": ["Bob"]}},
            }),
        ),
        ("closed", json!({"code": -32000, "message": "closed for good {sorry}", "data": {"name": "Closed"}})),
        ("store", json!({"code": -32603, "message": "Internal error"})),
    ] {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "rooms.join", "params": [room]});
        assert_eq!(wire.ask(call.to_string()).await["error"], expected);
    }
}

#[test]
fn the_catalog_lists_how_calls_may_fail() {
    let by_hand = handler(async |(): ()| Err::<u8, _>(TooLate { by: 1 })).faults_of::<TooLate>();
    let catalog = served().procedure("late", by_hand).catalog();
    let faults = |name: &str| {
        let entry = catalog.procedures.iter().find(|it| &*it.name == name).unwrap();
        let told = |fault: &Fault| (fault.name().unwrap().into_owned(), fault.message().to_owned());
        entry.details.faults.iter().map(told).collect::<Vec<_>>()
    };
    let join = [
        ("Full", "the room is full: {guests} of {guests}"),
        ("rooms.unwelcome", "{0} and {1:?} are not welcome"),
        ("Closed", "closed for good {{sorry}}"),
    ];
    assert_eq!(faults("rooms.join"), join.map(|(name, message)| (name.to_owned(), message.to_owned())));
    assert_eq!(faults("rooms.names"), faults("rooms.join"));
    let late = [("TooLate".to_owned(), "One that has a `Display` of its own.".to_owned())];
    assert_eq!((faults("rooms.leave"), faults("late")), (late.to_vec(), late.to_vec()));
}

#[test]
fn what_stays_home_is_there_for_the_hooks() {
    let fault = Fault::from(JoinError::Store("x".parse::<u8>().unwrap_err()));
    let source = std::error::Error::source(&fault).unwrap();
    assert!(source.to_string().starts_with("the disk is on fire: invalid digit"));
    assert!(source.downcast_ref::<JoinError>().is_some());
}
