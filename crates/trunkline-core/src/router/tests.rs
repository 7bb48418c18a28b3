use super::*;
use crate::{
    FaultKind, Open, OwnedCall, ProcedureName, RawArgs, State,
    handler::{Run, handler},
    middleware::{Answer, Next},
};
use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(it) = future.as_mut().poll(&mut cx) {
            return it;
        }
    }
}

#[track_caller]
fn answers(router: &Router, name: &str, args: &str, expected: Result<&str, FaultKind>) {
    let args = (!args.is_empty()).then_some(Payload::Json(args));
    let answer = block_on(router.call(name, args, &Context::local()));
    let answer = answer.as_ref().map(|payload| match payload {
        OwnedPayload::Json(text) => &**text,
    });
    assert_eq!(answer.map_err(Fault::kind), expected);
}

async fn shout(word: String) -> Result<String, Fault> {
    Ok(word.to_uppercase())
}

#[test]
fn handlers_of_every_shape_are_served() {
    let router = Router::new()
        .state(7u8)
        .procedure("shout", shout)
        .procedure("nothing", async || ())
        .procedure("add", |(a, b): (i64, i64)| async move { a + b })
        .procedure("context", async |context: Context| context.connection().transport())
        .procedure("state", async |state: State<u8>, add: (u8,)| *state + add.0)
        .procedure("fails", async |(): ()| Err::<(), _>("no"))
        .seal();
    answers(&router, "shout", r#"["hey"]"#, Ok(r#""HEY""#));
    answers(&router, "nothing", "", Ok("null"));
    answers(&router, "nothing", "[1]", Err(FaultKind::InvalidArgs));
    answers(&router, "add", "[1,2]", Ok("3"));
    answers(&router, "context", "{}", Ok(r#""in process""#));
    answers(&router, "state", "[1]", Ok("8"));
    answers(&router, "fails", "", Err(FaultKind::Failed));
    answers(&router, "missing", "", Err(FaultKind::NotFound));
}

#[test]
fn the_fallback_takes_any_name_and_any_arguments() {
    let router =
        Router::new().fallback(async |ProcedureName(name), RawArgs(args): RawArgs| (name, args)).seal();
    answers(&router, "any", r#"{"a":1.50}"#, Ok(r#"["any",{"a":1.50}]"#));
    answers(&router, "any", "", Ok(r#"["any",null]"#));
}

#[test]
fn a_fallback_keeps_its_place_in_a_scope() {
    let named = |tag: &'static str| {
        Router::new()
            .fallback(move |ProcedureName(name): ProcedureName| async move { format!("{tag}: {name}") })
    };
    let inner = named("inner").procedure("own", async || "own").scope("deep", named("deep"));
    let router = Router::new().scope("in", inner).procedure("in.deep.own", async || "outer").seal();
    answers(&router, "in.own", "", Ok(r#""own""#));
    answers(&router, "in.deep.own", "", Ok(r#""outer""#));
    answers(&router, "in.other", "", Ok(r#""inner: in.other""#));
    answers(&router, "in.", "", Ok(r#""inner: in.""#));
    answers(&router, "in.deep.other", "", Ok(r#""deep: in.deep.other""#));
    for outside in ["in", "inn", "other", "inner.other"] {
        answers(&router, outside, "", Err(FaultKind::NotFound));
    }
    let router = named("outer").merge(router).seal();
    answers(&router, "in.other", "", Ok(r#""inner: in.other""#));
    answers(&router, "other", "", Ok(r#""outer: other""#));
    answers(&Router::new().merge(named("merged")).seal(), "other", "", Ok(r#""merged: other""#));
}

#[test]
fn a_fallback_keeps_what_its_router_put_around_it() {
    let inner = Router::new()
        .state(7u8)
        .fallback(async |state: State<u8>| *state)
        .guard(|call| if call.procedure.ends_with('!') { Err("no".into()) } else { Ok(()) });
    for router in [Router::new().merge(inner.clone()), Router::new().scope("in", inner)] {
        let router = router.seal();
        answers(&router, "in.x", "", Ok("7"));
        answers(&router, "in.x!", "", Err(FaultKind::Failed));
    }
}

#[test]
fn two_fallbacks_are_refused_with_both_places() {
    let one = || Router::new().fallback(async || 1);
    let refused = |make: fn(Router, Router) -> Router, what: &str| {
        let made = std::panic::catch_unwind(|| make(one(), one()));
        let message = *made.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(message.matches("router/tests.rs:").count(), 2, "{message}");
        assert!(message.starts_with(what), "{message}");
    };
    refused(Router::merge, "there are two fallbacks: ");
    refused(|a, b| Router::new().scope("in", a).scope("in", b), "there are two fallbacks for `in.…`: ");
    refused(|a, _| a.fallback(async || 2), "there are two fallbacks: ");
    let _ = one().scope("in", one()).scope("at", one());
}

#[test]
fn a_call_from_within_tells_the_deadline_and_leaves_it_to_the_caller() {
    let timeout = Duration::from_secs(3600);
    let left = |call: &Call<'_>| match call.deadline.map(|at| at.saturating_duration_since(Instant::now())) {
        Some(left) if left <= Duration::from_secs(3600) => {
            Err(Fault::new(FaultKind::DeadlineExceeded, "some"))
        }
        Some(_) => Err("too much".into()),
        None => Ok(()),
    };
    let router = Router::new()
        .procedure("limited", handler(async || "late").timeout(timeout).blocking())
        .procedure("endless", handler(async || "never").timeout(Duration::MAX))
        .procedure("ping", async || "pong");
    answers(&router, "limited", "", Ok(r#""late""#));
    let router = router.guard(left).seal();
    answers(&router, "limited", "", Err(FaultKind::DeadlineExceeded));
    answers(&router, "endless", "", Ok(r#""never""#));
    answers(&router, "ping", "", Ok(r#""pong""#));
}

#[test]
fn guards_refuse_before_the_arguments_are_looked_at() {
    let inner =
        Router::new().procedure("shout", shout).guard(|_| Err(Fault::new(FaultKind::Forbidden, "no")));
    let router = Router::new().scope("in", inner).procedure("shout", shout).seal();
    answers(&router, "in.shout", "[]", Err(FaultKind::Forbidden));
    answers(&router, "shout", r#"["x"]"#, Ok(r#""X""#));
}

#[test]
fn middleware_is_around_every_procedure_the_first_outermost() {
    fn tag(tag: &'static str) -> impl Middleware {
        move |call: OwnedCall, next: Next| async move {
            let OwnedPayload::Json(inner) = next.run(call).await?;
            Answer::Ok(OwnedPayload::Json(format!(r#"["{tag}",{inner}]"#).into()))
        }
    }
    let router = Router::new().layer(tag("a")).procedure("shout", shout).layer(tag("b")).seal();
    answers(&router, "shout", r#"["x"]"#, Ok(r#"["a",["b","X"]]"#));
    answers(&router, "shout", "[]", Err(FaultKind::InvalidArgs));
}

#[test]
fn a_reply_stops_at_the_limit_also_within_middleware() {
    struct Row(Arc<AtomicUsize>);
    impl serde::Serialize for Row {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.fetch_add(1, Ordering::Relaxed);
            serializer.serialize_str(&"x".repeat(1000))
        }
    }
    let rows: Arc<AtomicUsize> = Arc::default();
    let written = rows.clone();
    let router = Router::new()
        .procedure("rows", move || {
            let rows = rows.clone();
            async move { (0..1000).map(|_| Open(Row(rows.clone()))).collect::<Vec<_>>() }
        })
        .layer(async |call: OwnedCall, next: Next| next.run(call).await)
        .layer(async |call: OwnedCall, next: Next| next.run(call).await)
        .seal();
    let route = router.find("rows").unwrap();
    let context = Context::local();
    let mut call = Call::new("rows", None, &context, route.states());
    call.max_reply = 10_000;
    let answer = block_on(crate::procedure::finish(route.start(&call).unwrap(), call.format, call.max_reply));
    assert_eq!(answer.unwrap_err().kind(), FaultKind::ReplyTooLarge);
    assert_eq!(written.load(Ordering::Relaxed), 10);
}

#[test]
fn a_name_that_is_taken_is_refused_with_both_places() {
    let twice =
        std::panic::catch_unwind(|| Router::new().procedure("shout", shout).procedure("shout", shout));
    let message = *twice.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message.matches("router/tests.rs:").count(), 2, "{message}");
    assert!(message.contains("`shout` is registered twice"));
}

#[test]
fn only_this_program_finds_what_is_internal() {
    let inner = Router::new().procedure("sweep", handler(async |state: State<u8>| *state).internal());
    let router = Router::new().state(7u8).scope("own", inner).merge(Router::new()).seal();
    answers(&router, "own.sweep", "", Ok("7"));
    assert!(router.find("own.sweep").is_none() && router.contains("own.sweep"));
    assert_eq!(router.names(), [""; 0]);
    let router = Router::new().merge(router).fallback(async || "fallback").seal();
    assert!(router.find("own.sweep").is_none(), "the fallback does not get it");
    answers(&router, "own.sweep", "", Ok("7"));
}

#[test]
fn it_is_known_why_a_name_is_unknown() {
    let router = Router::new()
        .procedure("users.get@2", shout)
        .procedure("users.sweep", handler(shout).internal())
        .scope("v1", Router::new().procedure("list", shout));
    for (name, why) in [
        ("users.get", Why::Version),
        ("users::get::3", Why::Version),
        ("v1.list@2", Why::Version),
        ("get@2", Why::Absent),
        ("users.sweep", Why::Internal),
        ("users.sweep@2", Why::Absent),
    ] {
        let fault = router.unknown(name);
        assert_eq!(Unknown::of(&fault), Some(&Unknown::new(name, why)));
        assert_eq!(fault, unknown("x"), "the same is told whatever the reason");
    }
}

#[test]
#[should_panic(expected = "`sweep` is registered twice")]
fn what_is_internal_takes_its_name() {
    let _ = Router::new().procedure("sweep", handler(shout).internal()).procedure("sweep", shout);
}

#[test]
#[should_panic(expected = "takes State<u8>, but its router has no such state")]
fn a_missing_state_is_heard_of_at_start_up() {
    let _ = Router::new().procedure("state", async |state: State<u8>| *state).seal();
}

#[test]
#[should_panic(expected = "are reserved")]
fn reserved_names_are_refused() {
    let _ = Router::new().procedure("rpc.mine", shout);
}

#[test]
fn a_scope_takes_states_it_lacks_from_outside_and_keeps_its_own() {
    let inner = || Router::new().procedure("get", async |state: State<u8>| *state);
    let router = Router::new().state(1u8).scope("own", inner().state(2u8)).seal();
    answers(&router, "own.get", "", Ok("2"));
    let router = Router::new().scope("lacking", inner()).state(1u8).seal();
    answers(&router, "lacking.get", "", Ok("1"));
    let registered = handler(shout).parallel();
    assert_eq!(Router::new().procedure("x", registered).find("x").unwrap().run(), Run::Parallel);
}
