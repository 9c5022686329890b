{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": null,
   "metadata": {},
   "outputs": [],
   "source": ["import keras\n", "def create_q_model(num_actions):\n", "    ..."]
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
