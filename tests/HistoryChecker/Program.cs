return await Mavi.HistoryChecker.Checker.RunAsync(args, Console.Out, Console.Error);
