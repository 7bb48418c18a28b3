//! Calls and items in any order.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Whatever order calls, items and ends come in, each call has the answer that is due.
#[test]
fn calls_and_items_in_any_order() {
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Call,
        Item(i64),
        End,
        Cancel,
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let step = prop_oneof![
        3 => Just(Step::Call),
        6 => (1..100_i64).prop_map(Step::Item),
        3 => Just(Step::End),
        1 => Just(Step::Cancel),
    ];
    let steps = prop::collection::vec((0..4_u8, step), 0..60);
    proptest!(ProptestConfig::with_cases(200), |(steps in steps)| {
        let mut lines: Vec<String> = vec![];
        let mut open: BTreeMap<u8, i64> = BTreeMap::new();
        let mut expected: Vec<(u8, Value)> = vec![];
        let finish = (0..4).map(|id| (id, Step::End));
        for (id, step) in steps.into_iter().chain(finish) {
            match step {
                Step::Call => {
                    lines.push(request(id, "sum", json!([])));
                    match open.get(&id) {
                        Some(_) => expected.push((id, json!(-32600))),
                        None => drop(open.insert(id, 0)),
                    }
                }
                Step::Item(n) => {
                    lines.push(item(id, n));
                    if let Some(sum) = open.get_mut(&id) {
                        *sum += n;
                    }
                }
                Step::End => {
                    lines.push(end(id));
                    expected.extend(open.remove(&id).map(|sum| (id, json!({"sum": sum}))));
                }
                Step::Cancel => {
                    lines.push(says("rpc.cancel", json!({"id": id})).to_string());
                    expected.extend(open.remove(&id).map(|_| (id, json!(-32800))));
                }
            }
        }
        let answers = runtime.block_on(async {
            let mut wire = Wire::to(router());
            let mut answers = vec![];
            for line in &lines {
                wire.line(line).await;
                // two turns: the call ends in the first, before its id is used again
                for turn in ["one", "two"] {
                    wire.line(request(turn, "ping", json!([]))).await;
                    loop {
                        let answer = wire.next().await;
                        if answer["id"] == turn {
                            break;
                        }
                        let id = u8::try_from(answer["id"].as_u64().unwrap()).unwrap();
                        answers.push(match answer.get("result") {
                            Some(sum) => (id, json!({"sum": sum})),
                            None => (id, answer["error"]["code"].clone()),
                        });
                    }
                }
            }
            answers
        });
        let sorted = |mut answers: Vec<(u8, Value)>| {
            answers.sort_by_key(|(id, _)| *id);
            answers
        };
        prop_assert_eq!(sorted(answers), sorted(expected), "{:?}", lines);
    });
}
