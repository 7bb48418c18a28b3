#[trunkline::service]
trait Math {
    async fn add(&self, a: i64, b: i64) -> i64;
}

struct MyMath;

impl Math for MyMath {
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {
    let _ = trunkline::Router::new().service(MyMath);
}

//~ 15:46 `MyMath` is not a service
//~ 15:46 `.service(MathService::new(my_math))`
