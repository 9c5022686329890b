"""The code that runs beside the student's: started as a program, never imported by the rest."""
