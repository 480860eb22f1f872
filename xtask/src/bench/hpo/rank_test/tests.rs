use super::probability_of_no_more;

#[test]
fn it_says_what_scipy_says() {
    // scipy.stats.mannwhitneyu(left, right, alternative="greater", method="asymptotic")
    let left = [1.0, 4.0, 2.5, 7.0, 9.0, 3.0, 3.0];
    let right = [0.5, 3.0, 1.5, 2.0, 2.0, 0.1, 3.5, 1.0];
    assert!((probability_of_no_more(&left, &right).unwrap() - 0.023964769).abs() < 1e-6);
    assert!((probability_of_no_more(&right, &left).unwrap() - 0.981885377).abs() < 1e-6);
    assert_eq!(probability_of_no_more(&[1.0], &[1.0]), None);
    assert_eq!(probability_of_no_more(&[], &left), None);
}
