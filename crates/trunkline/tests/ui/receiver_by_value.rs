#[trunkline::service]
trait Math {
    async fn add(self, a: i64, b: i64) -> i64;

    async fn subtract(&mut self, a: i64, b: i64) -> i64;
}

fn main() {}

//~ 3:18 calls run side by side, so a method takes `&self`; what changes lives in a `Mutex` or an atomic
//~ 5:23 calls run side by side, so a method takes `&self`; what changes lives in a `Mutex` or an atomic
