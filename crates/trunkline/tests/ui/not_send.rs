use std::rc::Rc;

#[trunkline::service]
trait Math {
    async fn add(&self, a: i64, b: i64) -> i64;
}

struct MyMath;

impl Math for MyMath {
    async fn add(&self, a: i64, b: i64) -> i64 {
        let kept = Rc::new(a);
        std::future::ready(()).await;
        *kept + b
    }
}

fn main() {}

//~ 11:44 future returned by `add` is not `Send`
//~ 11:44 has type `Rc<i64>` which is not `Send`
