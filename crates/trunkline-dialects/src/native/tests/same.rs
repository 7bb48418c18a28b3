//! What is said in this spelling is what is said in that of therms.

use super::*;
use crate::therms::{self, KINDS, Network, Origin, Provenance, Request};
use http::{HeaderMap, HeaderValue};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;
use std::{net::IpAddr, sync::Arc, time::Duration};
use trunkline_core::{
    Call, Connection, ConnectionId, Context, Extract, Holder, Identity, Key, Payload, Trace,
    router::{Unknown, Why},
};

/// All that a node, and a handler, can tell of a call.
#[derive(Debug, PartialEq)]
struct Told {
    id: Arc<str>,
    procedure: Box<str>,
    internal: bool,
    repeated: bool,
    understands: bool,
    authorization: Option<Box<str>>,
    heard: (String, Option<String>, About),
    transport: &'static str,
    remote: Option<std::net::SocketAddr>,
    held: Option<ConnectionId>,
    identity: Identity,
    depth: usize,
    caller: Option<String>,
    finds_internal: bool,
    exact: bool,
    request: Request,
    /// The same of a call that its handler makes, whose own id is made up.
    inner: Request,
}

fn request(context: &Context, procedure: &str) -> Request {
    Request::extract(&Call::new(procedure, None, context, &Arc::default())).unwrap()
}

/// Asks in this spelling; tells what is heard, and of whom.
fn told(envelope: &dyn Envelope, asked: &Asked<'_>) -> (Told, Context) {
    let mut body = Vec::new();
    let place = envelope.request(asked, &mut body);
    let given = asked.args.map(|args| args.as_bytes().to_vec());
    assert_eq!(place.map(|place| body[place].to_vec()), given, "as it is spelled");
    let mut opened = envelope
        .open(&body, &Limits::default())
        .unwrap_or_else(|| panic!("no request: {}", String::from_utf8_lossy(&body)));
    let heard = heard(&mut *opened.dialect, &body);
    let context = opened.context.clone().with_about(&heard.2);
    let context = context.with_trace(heard.2.trace.clone());
    let connection = context.connection();
    let mut inner = request(&context.inner().unwrap().called_by(&*heard.0), "inner");
    inner.trace.id.clear();
    let told = Told {
        id: opened.id,
        procedure: opened.procedure,
        internal: opened.internal,
        repeated: opened.repeated,
        understands: opened.understands,
        authorization: opened.authorization,
        transport: connection.transport(),
        remote: connection.remote(),
        held: Some(connection.id()).filter(|id| id.is_held()),
        identity: context.identity().clone(),
        depth: context.depth(),
        caller: context.caller().map(str::to_owned),
        finds_internal: context.finds_internal(),
        exact: Provenance::of(&context).is_none_or(Provenance::is_exact),
        request: request(&context, &heard.0),
        inner,
        heard,
    };
    (told, context)
}

/// A caller, and what is known of it.
fn context() -> impl Strategy<Value = Context> {
    let connection = (
        prop::sample::select(vec!["http", "websocket", "tcp"]),
        option::of(any::<IpAddr>()),
        option::of(Just(Holder::new())),
        option::of("[a-z]{0,4}"),
        option::of(any::<std::net::Ipv4Addr>()),
    );
    let known = (option::of(".{0,4}"), vec(".{0,3}", 0..3), vec((".{0,3}", any::<i32>()), 0..3));
    let place = option::of((1u8.., any::<u8>(), "[a-z=,]{0,9}"));
    let own = (
        // what is not truthy, clients of therms have not said
        option::of(prop_oneof![
            Just(r#""\u00fc\"""#.to_owned()),
            Just(format!("\"{}\"", "x".repeat(256))),
            "[1-9][0-9]{0,3}",
            "\"[a-z]{1,9}\"",
            Just(r#"{"a":[1]}"#.to_owned()),
        ]),
        option::of(prop_oneof![
            Just(r#"{"authorization":"jwt"}"#.to_owned()),
            Just(r#"{"deviceName":"phone","metadata":{"a":[1.5]}}"#.to_owned()),
            // longer than it came to the gateway
            Just(format!(r#"{{"metadata":{{"a":[{}0]}}}}"#, "1e15,".repeat(2000))),
            Just("{}".to_owned()),
        ]),
        any::<bool>(),
    );
    let around =
        (0usize..4, option::of(prop_oneof![Just("outer"), Just("a.b@2"), Just("x::y.z::1")]), any::<bool>());
    (connection, known, place, option::of(own), around).prop_map(|(connection, known, place, own, around)| {
        let (transport, remote, holder, bearer, real) = connection;
        let mut headers = HeaderMap::new();
        if let Some(token) = bearer {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            headers.insert("authorization", value);
        }
        if let Some(real) = real {
            headers.insert("x-real-ip", HeaderValue::from_str(&real.to_string()).unwrap());
        }
        let connection = Connection::new(transport, "any")
            .with_remote(remote.map(|address| (address, 80).into()))
            .with_request(http::Uri::default(), headers);
        let connection = match holder {
            Some(holder) => connection.held_by(holder),
            None => connection,
        };
        let (subject, groups, claims) = known;
        let mut identity = subject.map_or_else(Identity::anonymous, Identity::new);
        for group in groups {
            identity = identity.with_group(group);
        }
        for (name, claim) in claims {
            identity = identity.with_claim(name, claim);
        }
        let place = place.and_then(|(id, flags, state)| {
            Some(Trace::of_parts([id; 16], [id; 8], flags)?.with_state(&state))
        });
        let context = Context::from(Arc::new(connection)).with_identity(identity).with_trace(place);
        let context = match own {
            Some((correlation, shown, exact)) => {
                let shown = shown.as_deref().and_then(therms::Identity::passed);
                let origin = Origin::Client { number: 7 };
                let said = Provenance::new(correlation.as_deref(), shown, origin).exact(exact);
                context.with_about(&About::default().with_extension(said))
            }
            None => context,
        };
        let (depth, caller, chosen) = around;
        let context = context.at_depth(depth);
        let context = match caller {
            Some(caller) => context.called_by(caller),
            None => context,
        };
        match chosen {
            true => context.with_about(&About::default().internal()),
            false => context,
        }
    })
}

/// Something to answer to.
fn ask() -> Vec<u8> {
    let asked = Asked {
        id: SOME_ID,
        key: &Key::of("p"),
        args: None,
        context: &Context::local(),
        identified: false,
        timeout: Duration::MAX,
        repeated: false,
    };
    let mut body = Vec::new();
    Native.request(&asked, &mut body);
    body
}

proptest! {
    /// T10: and also what is made of it by who has heard it, and asks again.
    #[test]
    fn neither_spelling_drops_what_the_other_says(
        context in context(),
        name in prop_oneof![Just("ping"), Just("math.add"), Just("math.add@2"), Just("a::b.c::1")],
        args in option::of(prop_oneof![Just("[1, 2]"), Just("{\"a\":\"ü\"}"), Just("null")]),
        identified: bool,
        repeated: bool,
        timeout in prop_oneof![(0u64..100_000).prop_map(Duration::from_millis), Just(Duration::MAX)],
        is_inner: bool,
    ) {
        let args = args.map(Payload::Json);
        let asked = Asked { id: SOME_ID, key: &Key::of(name), args, context: &context, identified, timeout, repeated };
        let (by_us, here) = told(&Native, &asked);
        let (by_therms, there) = told(&Network, &asked);
        prop_assert_eq!(&by_us, &by_therms);
        // what has come in one of them goes on in the same or the other
        let next = "f".repeat(32);
        let mut again = Vec::new();
        for context in [&here, &there] {
            let context = if is_inner { &context.inner().unwrap() } else { context };
            let asked = Asked { id: &next, key: &Key::of("next"), context, ..asked };
            again.push(told(&Native, &asked).0);
            again.push(told(&Network, &asked).0);
        }
        for other in &again[1..] {
            prop_assert_eq!(&again[0], other);
        }
    }

    #[test]
    fn results_and_faults_come_back_as_what_they_were(
        value in prop_oneof![Just("null"), Just("[3]"), Just("\x00204\0\0"), Just("\x00201\0\"made\"\x001")],
        kind in prop::sample::select(&KINDS[..]),
        message in ".{0,9}",
        code in option::of(any::<i64>()),
        data in option::of(any::<i32>()),
        why in option::of(prop::sample::select(vec![Why::Absent, Why::Internal, Why::Version, Why::Nowhere])),
    ) {
        let body = ask();
        let answer = answered(&mut *open(&body).unwrap().dialect, Ok(value));
        let read = Native.answer(&answer).unwrap();
        prop_assert_eq!((&*read.id, read.remark), (SOME_ID, None));
        let result = read.outcome.unwrap();
        prop_assert_eq!(result.borrow().as_bytes(), value.as_bytes());

        let mut fault = Fault::new(kind, message).with_source("secret");
        if let Some(code) = code {
            fault = fault.with_code(code);
        }
        if let Some(data) = data {
            fault = fault.with_data(Value::from(data));
        }
        let unknown = why.map(|why| Unknown::new("users.get@2", why));
        if let Some(unknown) = &unknown {
            fault = fault.with_source(unknown.clone());
        }
        let answer = answered(&mut *open(&body).unwrap().dialect, Err(&fault));
        prop_assert!(!answer.windows(6).any(|bytes| bytes == b"secret"));
        let read = Native.answer(&answer).unwrap().outcome.unwrap_err();
        prop_assert_eq!(&read, &fault);
        prop_assert_eq!(Unknown::of(&read), unknown.as_ref());
    }
}
