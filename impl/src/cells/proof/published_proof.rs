//! A writer that publishes twice, and readers that look twice.

use super::published::Published;
use std::sync::Arc;

/// A view whose two halves belong together, as a high watermark and its log end do.
type View = (u8, u8);

#[test]
fn a_view_is_whole_and_never_older_than_the_last() {
    loom::model(|| {
        let cell = Arc::new(Published::<View>::new((0, 0)));
        let readers = [(); 2].map(|()| {
            let cell = Arc::clone(&cell);
            loom::thread::spawn(move || {
                let (first, second) = (*cell.read(), *cell.read());
                assert!(first.0 == first.1 && second.0 == second.1, "half of one view, half of another");
                assert!(second >= first, "went back");
            })
        });
        cell.publish((1, 1));
        assert_eq!(*cell.read(), (1, 1), "published, yet not read");
        cell.publish((2, 2));
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert_eq!(*cell.read(), (2, 2));
    });
}

#[test]
#[should_panic(expected = "half of one view")]
fn twin_in_two_halves_is_caught() {
    loom::model(|| {
        let halves = Arc::new((Published::<u8>::new(0), Published::<u8>::new(0)));
        let reader = loom::thread::spawn({
            let halves = Arc::clone(&halves);
            move || assert_eq!(*halves.0.read(), *halves.1.read(), "half of one view, half of another")
        });
        halves.0.publish(1);
        halves.1.publish(1);
        reader.join().unwrap();
    });
}
