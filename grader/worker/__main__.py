"""`python -m grader.worker`: the fork server, or one cold worker."""

from grader.worker.server import main

if __name__ == "__main__":
    main()
