import random


class GameEnv:
    """Tic tac toe against a random player"""

    def __init__(self):
        self.board = [" "] * 9

    def play(self, place):
        if self.board[place] != " ":
            return "not possible"
        self.board[place] = "X"
        free = [i for i in range(9) if self.board[i] == " "]
        if free:
            self.board[random.choice(free)] = "O"
        return self.board


if __name__ == "__main__":
    game = GameEnv()
    print(game.play(4))
