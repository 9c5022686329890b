"""Where the stages meet: collect, judge, score, write; one submission, or a class of them."""
