use super::*;
use crate::{
    OwnedCall, ProcedureName, RawArgs, State,
    handler::handler,
    middleware::{Answer, Next},
};
use std::pin::pin;

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
fn a_name_that_is_taken_is_refused_with_both_places() {
    let twice =
        std::panic::catch_unwind(|| Router::new().procedure("shout", shout).procedure("shout", shout));
    let message = *twice.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message.matches("router/tests.rs:").count(), 2, "{message}");
    assert!(message.contains("`shout` is registered twice"));
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
    let registered = handler(shout).parallel();
    assert_eq!(Router::new().procedure("x", registered).find("x").unwrap().run(), Run::Parallel);
}
